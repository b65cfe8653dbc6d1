"""What a mammogram is, and the models that look at it. No window anywhere."""
