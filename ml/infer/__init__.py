"""Using a model: a mammogram in, an `Analysis` out. The only door the viewer knocks on."""
