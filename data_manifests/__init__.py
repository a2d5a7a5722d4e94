"""What everybody agrees on: published numbers and manifests. Standard library only."""
