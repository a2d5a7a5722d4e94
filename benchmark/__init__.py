"""Rerun the paper: tables, units, records, verdicts, reports."""
