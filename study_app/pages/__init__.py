"""One file a page group; here, which there are and how often one may knock."""

from flask import Blueprint

from . import health

BLUEPRINTS: tuple[Blueprint, ...] = (health.pages,)

LIMITS: dict[str, str] = {}
"""Requests that change something, by endpoint, for each address."""
