"""`spade-study` where not every extra is installed."""

import importlib
from types import ModuleType

import pytest
from click.testing import CliRunner

from study_app.cli import main


@pytest.fixture(autouse=True)
def without_flask(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.import_module

    def missing(name: str) -> ModuleType:
        if name.startswith("study_app.commands."):
            raise ModuleNotFoundError("No module named 'flask'", name="flask")
        return found(name)

    monkeypatch.setattr(importlib, "import_module", missing)


@pytest.mark.parametrize("words", [("serve",), ("create-run", "slug"), ("serve", "--port", "1"), ("demo", "--help")])
def test_a_command_whose_extra_is_missing_says_what_to_install(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 4
    assert result.output == f"'{words[0]}' needs flask, which is not installed here: pip install '.[study]'.\n"


def test_the_help_lists_every_command_where_an_extra_is_missing() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert result.output.count("Not installed here: pip install '.[study]'.") >= 10
    assert "contact-sheet" in result.output
    assert "Make the pictures of a study" in result.output
