"""Saliency methods on any network, one family a file."""
