from pathlib import Path

import pytest

from study_app.database import Database
from study_app.errors import InputError
from study_app.settings import from_environment

LEAST = {
    "SPADE_STUDY_SECRET_KEY": "k" * 32,
    "SPADE_STUDY_DATABASE_URL": "sqlite://",
    "SPADE_STUDY_PICTURES": "pictures",
}


@pytest.mark.parametrize("name", sorted(LEAST))
def test_without_a_secret_a_database_or_pictures_no_server_starts(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} is not set, and has no default"):
        from_environment({key: value for key, value in LEAST.items() if key != name})


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(InputError, match="of 9 bytes is too short"):
        from_environment({**LEAST, "SPADE_STUDY_SECRET_KEY": "change me"})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TRUSTED_HOST", "a.example", "did you mean 'TRUSTED_HOSTS'"),
        ("TRUSTED_HOSTS", "https://a.example", "no host name"),
        ("TRUSTED_HOSTS", "", "is empty"),
        ("PROXIES", "one", "whole number"),
        ("INSECURE_HTTP", "perhaps", "Allowed: 1, true"),
        ("LOG_LEVEL", "LOUD", "Allowed: DEBUG"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_its_name(name: str, value: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        from_environment({**LEAST, f"SPADE_STUDY_{name}": value})
    assert said in str(caught.value)


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("f" * 40 + "\n")
    rest = {name: value for name, value in LEAST.items() if name != "SPADE_STUDY_SECRET_KEY"}
    found = from_environment({**rest, "SPADE_STUDY_SECRET_KEY_FILE": str(tmp_path / "key"), "OTHER": "x"})
    assert found.secret_key == "f" * 40
    assert found.trusted_hosts == ("localhost", "127.0.0.1", "[::1]")


@pytest.mark.parametrize("url", ["mysql://localhost/study", "study.sqlite", ""])
def test_another_database_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(InputError, match="Use sqlite:"):
        Database(url)
