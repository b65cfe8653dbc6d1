"""An update from a file: whose it is, which version is started, and the way back."""
