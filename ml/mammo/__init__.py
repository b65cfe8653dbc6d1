"""What a mammogram is: from a file to pixels and geometry. numpy and pydicom, no torch, no Qt."""
