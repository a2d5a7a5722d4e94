"""What tests of the study lend to those of its hosting: a PostgreSQL of their own."""

from postgres_server import postgres_url

__all__ = ["postgres_url"]
