"""Scores of a saliency map."""
