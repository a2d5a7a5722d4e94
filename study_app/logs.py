"""One JSON object a line: what was asked, how it ended, how long it took, and never who asked or from where."""

import json
import logging
import secrets
import sys
import time
from datetime import UTC, datetime

from flask import Flask, Response, g, request

LOGGER = "study_app"


class JsonFormatter(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with the fields given as `extra={"fields": {...}}`."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up(level: str) -> None:
    """Send this package's records to stderr as JSON; called by command lines and hosts, never on import."""
    logger = logging.getLogger(LOGGER)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False


def log_requests(app: Flask) -> None:
    """Log every request of `app` by the name of its page; paths hold tokens, so they stay out."""
    logger = logging.getLogger(LOGGER)

    @app.before_request
    def _start() -> None:
        g.started, g.request_id = time.perf_counter(), secrets.token_hex(8)

    @app.after_request
    def _end(response: Response) -> Response:
        fields = {
            "request": g.get("request_id"),
            "method": request.method,
            "page": request.endpoint,
            "status": response.status_code,
            "ms": round(1000 * (time.perf_counter() - g.started), 1) if "started" in g else None,
        }
        logger.info("request", extra={"fields": fields})
        return response
