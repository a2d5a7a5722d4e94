"""Recipes of the embedded scales, one TOML a scale."""
