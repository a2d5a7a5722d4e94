"""Two session cookies, for whoever takes part and for the researcher's pages; neither opens the other's."""

from flask import Flask
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionInterface, SessionMixin
from flask.wrappers import Request, Response

ADMIN = "/admin"
"""Where the researcher's pages begin."""


class AdminCookie(SecureCookieSession):
    """What the cookie of the researcher's pages holds."""


class _AdminDoor(SecureCookieSessionInterface):
    """Signed with another salt, sent to the researcher's pages alone, and never from another site."""

    salt = "admin-session"
    session_class = AdminCookie

    def get_cookie_name(self, app: Flask) -> str:
        # The prefix __Host-, which the other cookie has, allows no path of its own.
        return "__Secure-study-admin" if app.config["SESSION_COOKIE_SECURE"] else "study-admin"

    def get_cookie_path(self, app: Flask) -> str:  # noqa: ARG002 - Flask's signature
        return ADMIN

    def get_cookie_samesite(self, app: Flask) -> str:  # noqa: ARG002 - as above
        return "Strict"


class Doors(SessionInterface):
    """The cookie that belongs to the page asked for."""

    def __init__(self) -> None:
        self._people, self._admins = SecureCookieSessionInterface(), _AdminDoor()

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of whoever sends `request`."""
        door = self._admins if _is_admins(request.path) else self._people
        return door.open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the cookie that `session` came from."""
        door = self._admins if isinstance(session, AdminCookie) else self._people
        door.save_session(app, session, response)


def _is_admins(path: str) -> bool:
    return path == ADMIN or path.startswith(f"{ADMIN}/")
