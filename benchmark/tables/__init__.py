"""Definitions of the paper's tables, one TOML a table."""
