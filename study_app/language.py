"""Which language a page is in."""

from flask import request, session

LANGUAGES = {"en": "English", "de": "Deutsch"}
"""Catalogues that come with the app, by the name people know them under."""


def chosen_locale() -> str:
    """What the person chose, else the best the browser asks for, else English."""
    chosen = session.get("locale")
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(list(LANGUAGES)) or "en"
