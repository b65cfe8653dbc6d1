"""Work off the GUI thread. No Qt."""
