"""What a mammogram is: from a file to pixels and geometry. numpy, pydicom; no torch, Qt."""
