"""The workstation: it shows what `ml` reads and says, and never the reverse."""
