"""The end of a run: close it, look at its arms, take the answers out. Each is confirmed and on record."""

import io
import zipfile
from collections.abc import Mapping

from flask import Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import unblinding
from ...errors import InputError
from ...export import export_of
from ...models import Run
from ...parquet import PARQUET, as_parquet
from ...resources import resources
from .door import caller, pages
from .monitor import run_of

ALL = "export.zip"
FILES = (ALL, "responses.csv", "raters.csv", PARQUET, "codebook.toml")


@pages.get("/runs/<token>/end")
def end(token: str) -> ResponseReturnValue:
    """What can be done at the end of a run, and what has been."""
    with resources().database.reading() as db:
        found = run_of(db, token)
        seen = unblinding.has_seen(db, found, actor=caller().actor)
        return render_template("admin/end.html", run=found, seen=seen, files=FILES, all=ALL)


@pages.post("/runs/<token>/close")
def close(token: str) -> ResponseReturnValue:
    """Close a run for good, once it is confirmed; 400 where it is not."""
    _confirmed()
    parts = resources()
    with parts.database.writing() as db:
        unblinding.close(db, run_of(db, token), actor=caller().actor, now=parts.clock())
    return redirect(url_for("admin.end", token=token), code=303)


@pages.post("/runs/<token>/unblind")
def unblind(token: str) -> ResponseReturnValue:
    """Show the arms of a closed run to this researcher from now on; 409 while it is open."""
    _confirmed()
    parts = resources()
    with parts.database.writing() as db:
        found = run_of(db, token)
        _closed(found)
        unblinding.unblind(db, found, actor=caller().actor, purpose="monitor", now=parts.clock())
    return redirect(url_for("admin.run", token=token), code=303)


@pages.post("/runs/<token>/download")
def download(token: str) -> ResponseReturnValue:
    """A file of the export of a closed run, or all of them; 409 while it is open, 404 for any other name.

    It is a POST, because it leaves a row in the audit log.
    """
    name, parts = request.form.get("file", ""), resources()
    if name not in FILES:
        abort(404)
    with parts.database.writing() as db:
        found = run_of(db, token)
        _closed(found)
        purpose = f"download {name}"
        unblinding.unblind(db, found, actor=caller().actor, purpose=purpose, now=parts.clock())
        files = export_of(db, found).files
        data = _file(name, files["responses.csv"]) if name == PARQUET else files.get(name)
        body = _zipped(token, files) if data is None else data
    headers = {"Content-Disposition": f'attachment; filename="{token}-{name}"'}
    return Response(body, mimetype="application/octet-stream", headers=headers)


def _confirmed() -> None:
    if request.form.get("sure") != "yes":
        abort(400, description=gettext("Please tick the box to confirm. Nothing was changed."))


def _closed(run: Run) -> None:
    if run.closed_at is None:
        abort(409, description=gettext("This run still collects answers. Close it first; nothing was shown."))


def _file(name: str, table: bytes) -> bytes:
    try:
        return as_parquet(table)
    except InputError:
        abort(404, description=gettext("%(name)s needs pyarrow, which this server does not have.", name=name))


def _zipped(folder: str, files: Mapping[str, bytes]) -> bytes:
    """One archive; its dates are fixed, so that the same answers give the same bytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(f"{folder}/{name}"), data, zipfile.ZIP_DEFLATED)
    return written.getvalue()
