"""One step a file, run by Alembic."""
