"""Somebody at the researcher's pages, at a test client."""

from flask import Flask
from rater import Rater
from study_world import World

from study_app import admins

NAME, PASSWORD = "ada", "correct horse battery"


def add(world: World, name: str = NAME) -> None:
    """An account for `name`."""
    with world.database.writing() as session:
        admins.add(session, name, PASSWORD, actor="test", now=world.clock())


class Researcher(Rater):
    """One browser; not logged in yet."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app)
        self.get("/admin/login")

    def log_in(self, name: str = NAME, password: str = PASSWORD) -> int:
        """The status of logging in."""
        return self.post("/admin/login", username=name, password=password).status_code
