"""Using a model: the only door the viewer knocks on."""
