"""The generator: prompts, pipelines, lesion inpainting, quality, DICOM output."""
