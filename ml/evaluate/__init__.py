"""How good the models are: runs `ml.infer`, so it measures what ships."""
