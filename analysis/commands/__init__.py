"""The commands of `spade-stats` that leave a report, one a file."""
