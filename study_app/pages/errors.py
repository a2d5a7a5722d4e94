"""What people see when something is refused or fails: one plain sentence, and what to do."""

import logging

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from ..logs import LOGGER


def register(app: Flask) -> None:
    """Handle every HTTP error, and a database that cannot be reached."""

    @app.errorhandler(HTTPException)
    def _refused(error: HTTPException) -> ResponseReturnValue:
        return jsonify({"error": error.name}), error.code or 500

    @app.errorhandler(OperationalError)
    def _database(error: OperationalError) -> ResponseReturnValue:
        logging.getLogger(LOGGER).error("database", exc_info=error)
        return jsonify({"error": "The database does not answer."}), 503
