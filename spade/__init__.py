"""The method: tensors in, a sparse trace out."""
