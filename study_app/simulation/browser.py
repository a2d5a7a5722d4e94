"""A browser without a person: follows the pages of the app, with their form tokens, as a real one would."""

import re
from html import unescape

from flask import Flask

from ..design import PAGES
from ..errors import StudyError
from ..models import Choice


class Browser:
    """One simulated rater's session; every step is a request to the app."""

    def __init__(self, app: Flask) -> None:
        self._client = app.test_client()
        self._page = ""
        self.requests = 0

    def agree(self, run: str, name: str) -> None:
        """From the entry link through consent to the first training page."""
        self._get(f"/enter?run={run}&bot={name}")
        self._post("/consent", decision="accepted", age="yes", document=self._hidden("document"))

    def train(self) -> None:
        """Through the training to the first task."""
        for number, page in enumerate(PAGES, start=1):
            extra = {"choice": "right", "client_rt_ms": "2000"} if page == "trial" else {}
            self._post(f"/training/{number}", **extra)

    @property
    def task(self) -> str | None:
        """Token of the task on screen, None where the screen shows none."""
        found = re.search(r'action="/t/([^"/]+)" id="task"', self._page)
        return found[1] if found else None

    def look(self) -> None:
        """Fetch the four pictures of the task on screen."""
        for address in dict.fromkeys(re.findall(rf'src="(/s/{self.task}/[a-z]+)"', self._page)):
            self._fetch(address)

    def answer(self, choice: Choice, milliseconds: int) -> None:
        """Answer the task on screen; the next page is then on screen."""
        fields = {"choice": choice, "input": "click", "idem": self._hidden("idem"), "n_blur": "0"}
        self._post(f"/t/{self.task}", **fields, client_rt_ms=str(milliseconds), viewport="1280x720")

    def stop(self) -> None:
        """Say that it is enough."""
        self._get("/finish")
        self._post("/finish")

    def _fetch(self, address: str) -> None:
        with self._client.get(address) as response:
            self.requests += 1
            if response.status_code != 200:
                raise StudyError(f"A simulated rater got status {response.status_code} for a picture.")

    def _get(self, address: str) -> None:
        self._keep(self._client.get(address, follow_redirects=True, headers={"User-Agent": "Linux"}), address)

    def _post(self, address: str, **fields: str) -> None:
        data = {"csrf_token": self._hidden("csrf_token"), **fields}
        headers = {"User-Agent": "Linux"}
        self._keep(self._client.post(address, data=data, follow_redirects=True, headers=headers), address)

    def _keep(self, response: object, address: str) -> None:
        self.requests += 1
        status, text = getattr(response, "status_code", 0), getattr(response, "text", "")
        if status != 200:
            raise StudyError(f"A simulated rater got status {status} at {address.partition('?')[0]}.")
        self._page = text

    def _hidden(self, name: str) -> str:
        found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', self._page)
        if found is None:
            raise StudyError(f"A simulated rater found no field '{name}' on the page it was sent.")
        return unescape(found[1])
