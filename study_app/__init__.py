"""The human study: the package of the web application."""
