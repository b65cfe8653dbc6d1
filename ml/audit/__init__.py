"""Whether data are fit to train on: what a network could learn instead of disease."""
