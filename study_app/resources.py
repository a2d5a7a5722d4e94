"""What the pages of one application work with, made once by the factory."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from .clock import Clock
from .database import Database
from .pictures import PictureStore
from .settings import Settings

KEY = "spade_study"


@dataclass(frozen=True)
class Resources:
    """Database, pictures and clock of an application."""

    settings: Settings
    database: Database
    pictures: PictureStore
    clock: Clock


def resources() -> Resources:
    """Those of the application that answers the current request."""
    return cast("Resources", current_app.extensions[KEY])
