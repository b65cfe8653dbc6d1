"""What stands beside the images. Panels do not know each other."""
