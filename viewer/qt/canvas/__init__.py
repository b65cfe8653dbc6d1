"""The images: viewports, marks, loupe."""
