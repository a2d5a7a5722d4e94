"""Simulated raters, who use the app as people do and whose behaviour is known."""
