"""A rater at a test client: fills in the forms that the pages hold, token of the form included."""

import re
from collections.abc import Mapping
from html import unescape

from flask import Flask
from werkzeug.test import TestResponse

REDIRECTS = (302, 303, 308)


def hidden(page: str, name: str) -> str:
    """The value of the first hidden field of that name."""
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name} in {page[:2000]}"
    return unescape(found[1])


class Rater:
    """One browser."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self.page = ""

    def get(self, address: str, *, follow: bool = True) -> TestResponse:
        response = self.client.get(address, follow_redirects=follow)
        if response.mimetype == "text/html" and response.status_code not in REDIRECTS:
            self.page = response.text
        return response

    def post(
        self,
        address: str,
        fields: Mapping[str, str] | None = None,
        *,
        follow: bool = True,
        csrf: str | None = None,
        **more: str,
    ) -> TestResponse:
        """Send a form with the token of the page seen last."""
        token = hidden(self.page, "csrf_token") if csrf is None else csrf
        response = self.client.post(
            address, data={"csrf_token": token, **(fields or {}), **more}, follow_redirects=follow
        )
        if response.mimetype == "text/html" and response.status_code not in REDIRECTS:
            self.page = response.text
        return response

    def consent(self) -> None:
        """From the home page through consent to the first training page."""
        self.get("/")
        self.post("/begin")
        self.agree()

    def agree(self) -> TestResponse:
        return self.post("/consent", decision="accepted", age="yes", document=hidden(self.page, "document"))

    def train(self) -> TestResponse:
        """Through the training pages to the first task."""
        for number in range(1, 7):
            extra = {"choice": "right"} if number == 4 else {}
            response = self.post(f"/training/{number}", extra)
        return response

    def begin(self) -> None:
        self.consent()
        self.train()

    @property
    def task(self) -> str:
        """Token of the task on screen."""
        found = re.search(r'action="/t/([^"/]+)" id="task"', self.page)
        assert found, self.page[:3000]
        return found[1]

    def form(self, **changed: str) -> dict[str, str]:
        """The fields of the task on screen."""
        fields = {"choice": "left", "input": "key", "idem": hidden(self.page, "idem"), "client_rt_ms": "1234"}
        return {**fields, "n_blur": "0", "viewport": "1280x720", **changed}

    def answer(self, choice: str = "left") -> TestResponse:
        return self.post(f"/t/{self.task}", self.form(choice=choice))
