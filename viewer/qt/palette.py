"""The colours of the reading theme: dark, and quiet beside the images."""

GROUND = "#101417"
CARD = "#171b1f"
RAISED = "#1f272d"
LINE = "#262c31"
TEXT = "#e6eaed"
DIM = "#87919a"
# What cannot be chosen now, and should still be read.
FAINT = "#5f6972"
ACCENT = "#9bd3e6"
# What the machine says, and what the reader says.
MACHINE = "#ffb454"
READER = "#7fd8c8"
ALARM = "#e8795a"
ALARM_GROUND = "#231914"
CHOSEN = "#2b4657"
PROGRESS = "#5b9db8"
# What is pressed to have something done.
DEED = "#2f5565"
# A warning that stands for good.
STANDING = "#f2b48a"
