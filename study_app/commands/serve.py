"""`serve`: the study for one machine or a small group, by waitress."""

import signal
from types import FrameType

import click
import waitress
from flask import Flask

from ..hosted import create


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--threads", type=click.IntRange(1, 64), default=8, show_default=True)
def serve(host: str, port: int, threads: int) -> None:
    """Serve the studies of the database, migrating it first.

    Settings come from variables that start with SPADE_STUDY_. Behind a reverse proxy set SPADE_STUDY_PROXIES=1.
    """
    listen(create(), host=host, port=port, threads=threads)


def listen(app: Flask, *, host: str, port: int, threads: int) -> None:
    """Answer requests until the process is asked to stop."""
    signal.signal(signal.SIGTERM, _stop)
    # No Server header: what answers is nobody's business.
    waitress.serve(app, host=host, port=port, threads=threads, ident=None, _quiet=True)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
