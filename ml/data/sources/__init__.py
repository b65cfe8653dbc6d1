"""Where images come from. Sources do not know each other."""
