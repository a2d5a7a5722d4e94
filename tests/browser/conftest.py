"""Debian's Chromium, and a real server on localhost with a small study for it to visit."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import drawn_stimuli
import pytest
from researcher import NAME, PASSWORD
from werkzeug.serving import make_server

from study_app import admins, loading, migration, stimulus_set
from study_app.application import create_app
from study_app.clock import utc_now
from study_app.database import Database
from study_app.design import parse
from study_app.pictures import PictureStore
from study_app.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# The tests run as root in containers, where Chromium's sandbox does not start; they visit nothing but localhost.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]
RULES = 'slug = "browser"\ntitle = "Pictures and patterns"\ntasks.per_rater = 12'


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Chromium; the test skips where it or playwright is not installed."""
    driving = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (group `browser`)")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with driving.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        launched.close()


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    """A small study of its own in a folder, and where it is served."""
    settings = Settings(
        secret_key="a secret of the tests, long enough to be one",
        database_url=f"sqlite:///{folder / 'study.sqlite'}",
        pictures=folder / "pictures",
        insecure_http=True,
        rate_limits=False,
    )
    database = Database(settings.database_url)
    migration.upgrade(database)
    found = stimulus_set.read(drawn_stimuli.write(folder / "stimuli", 6, side=96))
    with database.writing() as db:
        study = loading.create_study(db, parse(RULES), found, PictureStore(settings.pictures), utc_now())
        loading.create_run(db, study, kind="main", seed=3, opened_at=utc_now())
        admins.add(db, NAME, PASSWORD, actor="test", now=utc_now())
    database.dispose()
    app = create_app(settings)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["spade_study"].database.dispose()


@pytest.fixture(scope="session")
def serving() -> Callable[[Path], AbstractContextManager[str]]:
    """For a test that ends its run, or else changes what others find."""
    return _serving


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the study is served that all tests share."""
    with _serving(tmp_path_factory.mktemp("served")) as served:
        yield served


SIZES = {"desktop": (1280, 720), "phone": (390, 844)}


@pytest.fixture
def home() -> str:
    """The page a visitor sees first, behind the address."""
    return ""


@pytest.fixture
def page(browser: "Browser", address: str, home: str, request: pytest.FixtureRequest) -> "Iterator[Page]":
    """A fresh visitor on the home page, of the size in the test's parameter; what the console says fails the test."""
    size = getattr(request, "param", "desktop")
    width, height = SIZES[size]
    phone = size == "phone"
    context = browser.new_context(
        viewport={"width": width, "height": height},
        has_touch=phone,
        is_mobile=phone,
        reduced_motion="reduce",
        base_url=address,
        locale="en",
    )
    visited = context.new_page()
    visited.set_default_timeout(120_000)
    said: list[str] = []
    requested: list[str] = []
    visited.on("console", lambda message: said.append(message.text))
    visited.on("pageerror", lambda error: said.append(str(error)))
    visited.on("request", lambda one: requested.append(one.url))
    visited.goto(f"{address}{home}")
    yield visited
    context.close()
    # One test cuts the connection on purpose.
    assert [one for one in said if "net::ERR_FAILED" not in one] == []
    assert [url for url in requested if not url.startswith(address)] == []
