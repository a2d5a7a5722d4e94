"""Inference: statistics on arrays, without torch and without flask."""
