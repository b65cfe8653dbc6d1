"""Data sets: sources, patient splits, augmentation."""
