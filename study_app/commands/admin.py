"""`admin`: who may see the researcher's pages."""

import os

import click
from sqlalchemy import select

from .. import admins
from ..clock import utc_now
from ..models import Admin
from .chosen import database

PASSWORD = "STUDY_ADMIN_PASSWORD"  # noqa: S105 - the name of a variable
ACTOR = "command line"


@click.group()
def admin() -> None:
    """Accounts of the researcher's pages, /admin on the study's server. Every change is in the audit log."""


@admin.command()
@click.argument("name")
def add(name: str) -> None:
    """Add an admin called NAME; asks for a password, or takes it from STUDY_ADMIN_PASSWORD."""
    with database() as opened:
        word = _password()
        with opened.writing() as session:
            admins.add(session, name, word, actor=ACTOR, now=utc_now())
    click.echo(f"Admin '{name}' can log in at /admin/login")


@admin.command()
@click.argument("name")
def password(name: str) -> None:
    """Give the admin NAME a new password, and end every session under the old one."""
    with database() as opened:
        with opened.reading() as session:
            admins.find(session, name)  # asked before somebody types a password for nobody
        word = _password()
        with opened.writing() as session:
            admins.set_password(session, name, word, actor=ACTOR, now=utc_now())
    click.echo(f"Admin '{name}' has a new password, and is logged out everywhere.")


@admin.command()
@click.argument("name")
def remove(name: str) -> None:
    """Take the account of NAME away; what it did stays in the audit log."""
    with database() as opened, opened.writing() as session:
        admins.remove(session, name, actor=ACTOR, now=utc_now())
    click.echo(f"Admin '{name}' is removed, and logged out everywhere.")


@admin.command("list")
def list_() -> None:
    """Print every admin, a line each."""
    with database() as opened, opened.reading() as session:
        for one in session.scalars(select(Admin).order_by(Admin.name)):
            click.echo(f"{one.name}\tsince {one.created_at:%Y-%m-%d}")


def _password() -> str:
    """From the environment, else typed twice and not shown. Never an option, which other people's `ps` would print."""
    given = os.environ.get(PASSWORD)
    return given or str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
