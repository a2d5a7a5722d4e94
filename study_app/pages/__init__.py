"""One file a page group; here, which there are and how often one may knock."""

from flask import Blueprint

from . import admin, auth, consent, health, home, me, pictures, tasks, training

BLUEPRINTS: tuple[Blueprint, ...] = (
    home.pages,
    auth.pages,
    consent.pages,
    training.pages,
    tasks.pages,
    pictures.pages,
    me.pages,
    health.pages,
    admin.pages,
)

LIMITS: dict[str, tuple[str, tuple[str, ...]]] = {
    "auth.log_in": ("20 per minute; 200 per hour", ("POST",)),
    "auth.make_account": ("20 per minute; 100 per hour", ("POST",)),
    "auth.begin": ("60 per minute", ("POST",)),
    "auth.enter": ("60 per minute", ("GET",)),
    "consent.decide": ("60 per minute", ("POST",)),
    "me.withdraw": ("20 per minute", ("POST",)),
    "admin.log_in": ("10 per minute; 60 per hour", ("POST",)),
}
"""How often each address may ask, by endpoint and methods. A class of students may share one address."""
