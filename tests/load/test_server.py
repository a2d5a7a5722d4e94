"""Many raters at once at a server in a process of its own, killed or not: every answer is there once, and theirs.

How many: SPADE_STUDY_TEST_RATERS, 50 where it is not set. How many seconds each looks at a task, about:
SPADE_STUDY_TEST_SECONDS, none where it is not set, so that the server gets all they can send.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPException
from http.cookiejar import CookieJar
from pathlib import Path
from random import Random
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import drawn_stimuli
import numpy as np
import pytest
from rater import hidden
from sqlalchemy import select, text

from study_app import loading, migration, stimulus_set
from study_app.clock import utc_now
from study_app.database import Database
from study_app.design import parse
from study_app.models import RATING, Assignment, Response
from study_app.pictures import PictureStore

pytestmark = pytest.mark.slow

RATERS = int(os.environ.get("SPADE_STUDY_TEST_RATERS", "50"))
SECONDS = float(os.environ.get("SPADE_STUDY_TEST_SECONDS", "0"))
TASKS = 4
CHOICES = ("left", "right", "both", "neither")


class Server:
    """`spade-study serve` in a process of its own, on one port however often it is started."""

    def __init__(self, url: str, pictures: Path) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port: int = one.getsockname()[1]
        own = {name: value for name, value in os.environ.items() if not name.startswith("SPADE_STUDY_")}
        self.environment = own | {
            "SPADE_STUDY_SECRET_KEY": "k" * 48,
            "SPADE_STUDY_DATABASE_URL": url,
            "SPADE_STUDY_PICTURES": str(pictures),
            "SPADE_STUDY_INSECURE_HTTP": "1",
            "SPADE_STUDY_RATE_LIMITS": "0",
            "SPADE_STUDY_LOG_LEVEL": "ERROR",
        }
        self.start()

    def start(self) -> None:
        command = "from study_app.cli import main; main()"
        words = [sys.executable, "-c", command, "serve", "--port", str(self.port), "--threads", "16"]
        self.process = subprocess.Popen(words, env=self.environment)  # noqa: S603 - our own command
        for _ in range(600):
            assert self.process.poll() is None, "the server did not start"
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        pytest.fail("the server did not listen within a minute")

    def cpu_seconds(self) -> float:
        """What the process has used of a core since it started."""
        words = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)


class Browser:
    """One rater, who sends a request again when the connection breaks, and notes how long each took."""

    def __init__(self, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self.opener = build_opener(HTTPCookieProcessor(CookieJar()))
        self.seconds: list[float] = []
        self.page = ""

    def ask(self, path: str, **fields: str) -> str:
        data = urlencode({"csrf_token": hidden(self.page, "csrf_token"), **fields}).encode() if fields else None
        for _ in range(200):
            started = time.perf_counter()
            try:
                with self.opener.open(self.root + path, data, timeout=120) as response:
                    body: bytes = response.read()
            except HTTPError:
                raise  # an answer of the server, and not one that any rater here should get
            except (OSError, HTTPException):
                time.sleep(0.2)
                continue
            self.seconds.append(time.perf_counter() - started)
            if body[:4] != b"\x89PNG":
                self.page = body.decode()
            return self.page
        pytest.fail("the server did not come back")

    def begin(self) -> None:
        self.ask("/")
        self.ask("/begin", way="open")
        self.ask("/consent", decision="accepted", age="yes", document=hidden(self.page, "document"))
        for number in range(1, 7):
            self.ask(f"/training/{number}", choice="right")

    def answer(self, choice: str) -> str | None:
        """The token of the task that was answered, None at the end."""
        found = re.search(r'action="/t/([^"/]+)" id="task"', self.page)
        if found is None:
            return None
        for slot in ("full", "pattern", "left", "right"):
            self.ask(f"/s/{found[1]}/{slot}")
        idem = hidden(self.page, "idem")
        self.ask(f"/t/{found[1]}", choice=choice, input="key", idem=idem, client_rt_ms="900", n_blur="0")
        return found[1]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'study.sqlite'}"
    found: str = request.getfixturevalue("postgres_url")
    with Database(found) as database:
        migration.downgrade(database)
    return found


@contextmanager
def study(url: str, folder: Path) -> Iterator[tuple[Database, Server]]:
    """A study of 12 images with an open run, and a server of it."""
    with Database(url) as database:
        migration.upgrade(database)
        found = stimulus_set.read(drawn_stimuli.write(folder / "stimuli", 12))
        store = PictureStore(folder / "pictures")
        with database.writing() as session:
            design = parse(f'slug = "load"\ntitle = "Load"\ntasks.per_rater = {TASKS}\n')
            made = loading.create_study(session, design, found, store, utc_now())
            loading.create_run(session, made, kind="main", seed=3, opened_at=utc_now())
        server = Server(url, store.folder)
        try:
            yield database, server
        finally:
            server.kill()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own with room for a small database; the test skips where none may be mounted."""
    folder.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if mount is None or unmount is None:
        pytest.skip("there is no mount here")
    words = [mount, "-t", "tmpfs", "-o", "size=3m", "study", str(folder)]
    if subprocess.run(words, check=False, capture_output=True).returncode:  # noqa: S603 - the system's own
        pytest.skip("mounting a file system needs more rights")
    try:
        yield folder
    finally:
        subprocess.run([unmount, "--lazy", str(folder)], check=True)  # noqa: S603 - as above


def everybody(server: Server, acknowledged: list[str]) -> tuple[list[dict[str, str]], list[float]]:
    """What each rater sent, token to choice, and the seconds of every request; `acknowledged` grows meanwhile."""

    def one(number: int) -> tuple[dict[str, str], list[float]]:
        browser, sent = Browser(server.port), dict[str, str]()
        pace = Random(number)  # noqa: S311 - a simulation
        time.sleep(pace.uniform(0, SECONDS))
        browser.begin()
        for turn in range(TASKS):
            time.sleep(pace.uniform(0.5, 1.5) * SECONDS)
            choice = CHOICES[(number + turn) % 4]
            token = browser.answer(choice)
            assert token is not None
            acknowledged.append(token)
            sent[token] = choice
        assert 'id="task"' not in browser.page
        return sent, browser.seconds

    with ThreadPoolExecutor(RATERS) as pool:
        done = list(pool.map(one, range(RATERS)))
    return [sent for sent, _ in done], [second for _, seconds in done for second in seconds]


def disk(folder: Path) -> float:
    """Median seconds that a small write to `folder` takes to be on the disk."""
    found = []
    with (folder / "written").open("wb", buffering=0) as file:
        for _ in range(21):
            started = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            found.append(time.perf_counter() - started)
    return float(np.median(found))


def hold(database: Database, sent: list[dict[str, str]]) -> None:
    """Every answer once, as it was given, by one person a rater; and cells within one."""
    with database.reading() as db:
        rows = db.execute(select(Assignment.token, Response.choice, Assignment.participant_id).join(Response)).all()
        cells = Counter((role, arm) for role, arm in db.execute(select(RATING.c.role, RATING.c.arm)))
    assert len(rows) == RATERS * TASKS
    stored = {token: choice for token, choice, _ in rows}
    assert stored == {token: choice for one in sent for token, choice in one.items()}
    person = {token: who for token, _, who in rows}
    assert [len({person[token] for token in one}) for one in sent] == [1] * RATERS
    assert len(set(person.values())) == RATERS
    assert len(cells) == 4
    assert max(cells.values()) - min(cells.values()) <= 1


def test_no_answer_is_lost_doubled_or_misassigned_under_load(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with study(url, tmp_path) as (database, server):
        started, before = time.perf_counter(), server.cpu_seconds()
        sent, seconds = everybody(server, [])
        took, used = time.perf_counter() - started, server.cpu_seconds() - before
        hold(database, sent)
    half, most = np.quantile(seconds, [0.5, 0.95])
    with capsys.disabled():
        kind = url.partition(":")[0]
        print(  # noqa: T201 - the measurement
            f"\n{kind}: {RATERS} raters, {len(seconds)} requests in {took:.1f} s, {len(seconds) / took:.0f} a second, "
            f"p50 {1000 * half:.0f} ms, p95 {1000 * most:.0f} ms (clients on the same machine); the server used "
            f"{1000 * used / len(seconds):.1f} ms of a core a request; a wait for this disk takes "
            f"{1000 * disk(tmp_path):.1f} ms"
        )


def test_no_acknowledged_answer_is_lost_when_the_server_is_killed_in_mid_study(url: str, tmp_path: Path) -> None:
    with study(url, tmp_path) as (database, server):
        acknowledged: list[str] = []
        killed: list[int] = []

        def strike() -> None:
            while len(acknowledged) < RATERS * TASKS // 3:
                time.sleep(0.01)
            server.kill()
            before = list(acknowledged)
            with database.reading() as db:
                kept = set(db.scalars(select(Assignment.token).join(Response)))
            killed.append(len(before))
            assert set(before) <= kept
            server.start()

        with ThreadPoolExecutor(1) as pool:
            striking = pool.submit(strike)
            sent, _ = everybody(server, acknowledged)
            striking.result()
        assert 0 < killed[0] < RATERS * TASKS
        hold(database, sent)


def test_on_a_disk_that_is_full_nothing_is_stored_or_lost_and_answers_go_on_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, study(f"sqlite:///{disk / 'study.sqlite'}", tmp_path) as (_, server):
        browser = Browser(server.port)
        browser.begin()
        sent = {browser.answer("left"): "left"}
        filler = disk / "filler"
        filler.write_bytes(bytes(shutil.disk_usage(disk).free))
        page, refused = browser.page, ""
        for _ in range(20):  # what the log of SQLite has room for inside itself is still stored
            try:
                browser.page = page
                sent[browser.answer("right")] = "right"
                page = browser.page
            except HTTPError as problem:
                refused = f"{problem.code} {problem.read().decode()}"
                break
        assert refused.startswith("503")
        assert "Nothing was stored" in refused
        with pytest.raises(HTTPError, match="503"):
            browser.ask("/readyz")
        filler.unlink()
        browser.page = page
        sent[browser.answer("right")] = "right"
        server.kill()
        server.start()
        with Database(f"sqlite:///{disk / 'study.sqlite'}") as database, database.reading() as db:
            stored = db.execute(select(Assignment.token, Response.choice).join(Response)).all()
            assert db.scalar(text("PRAGMA integrity_check")) == "ok"
        assert {token: choice for token, choice in stored} == sent  # noqa: C416 - rows are not pairs


def test_a_double_submit_a_replayed_form_and_two_tabs_store_one_answer(url: str, tmp_path: Path) -> None:
    with study(url, tmp_path) as (database, server):
        browser = Browser(server.port)
        browser.begin()
        page = browser.page
        found = re.search(r'action="/t/([^"/]+)" id="task"', page)
        assert found
        path, own = f"/t/{found[1]}", hidden(page, "idem")
        tab = Browser(server.port)
        tab.opener = browser.opener
        tab.ask(path)  # the same task again: a form with a key of its own
        forms = [("left", own), ("left", own), ("right", hidden(tab.page, "idem"))]

        def send(form: tuple[str, str]) -> None:
            one = Browser(server.port)
            one.opener, one.page = browser.opener, page
            start.wait()
            one.ask(path, choice=form[0], input="key", idem=form[1])

        start = threading.Barrier(len(forms))
        with ThreadPoolExecutor(len(forms)) as pool:
            list(pool.map(send, forms))
        with database.reading() as db:
            (first,) = db.scalars(select(Response.choice))
        browser.page = page
        browser.ask(path, choice="neither", input="key", idem=own)  # back button, sent again
        with database.reading() as db:
            assert list(db.scalars(select(Response.choice))) == [first]
