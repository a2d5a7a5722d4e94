"""Every number the paper prints, one CSV a table."""
