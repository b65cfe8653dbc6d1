"""How good is it: runs `ml.infer`, so it measures what ships."""
