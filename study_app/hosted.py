"""The application as a host starts it, from environment variables: `gunicorn 'study_app.hosted:create()'`."""

import os

from flask import Flask

from . import logs, migration, settings
from .application import create_app
from .resources import KEY, Resources


def create() -> Flask:
    """A migrated application that logs to stderr. Of several processes that start at once, one migrates.

    Raises:
        InputError: a setting is missing or cannot be used.
    """
    chosen = settings.from_environment(os.environ)
    logs.set_up(chosen.log_level)
    app = create_app(chosen)
    parts: Resources = app.extensions[KEY]
    migration.upgrade(parts.database)
    parts.database.dispose()  # a forked worker opens connections of its own
    return app
