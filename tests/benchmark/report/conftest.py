"""The run that every test of a report reads."""

import pytest
from story import Story, tell


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return tell(tmp_path_factory.mktemp("store"), tmp_path_factory.mktemp("report"))
