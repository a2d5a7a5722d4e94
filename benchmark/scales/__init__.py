"""Recipes of the embedded scales, one TOML file a scale; `benchmark.scale` reads them."""
