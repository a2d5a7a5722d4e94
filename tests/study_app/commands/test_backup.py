from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from study_world import World

from study_app.cli import main


def environment(database: Path, pictures: Path) -> dict[str, str]:
    return {
        "SPADE_STUDY_SECRET_KEY": "k" * 40,
        "SPADE_STUDY_DATABASE_URL": f"sqlite:///{database}",
        "SPADE_STUDY_PICTURES": str(pictures),
    }


def run(given: dict[str, str], *words: str) -> Result:
    return CliRunner().invoke(main, words, env=given)


@pytest.fixture
def first(world: World) -> dict[str, str]:
    """Where a small study is."""
    assert world.database.url.database
    return environment(Path(world.database.url.database), world.store.folder)


def test_a_server_is_backed_up_and_restored_once(first: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "study.tar"
    made = run(first, "backup", str(file))
    assert made.exit_code == 0, made.output
    assert "and 28 pictures" in made.output  # 4 images of 7
    again = run(first, "backup", str(file))
    assert (again.exit_code, "overwrites nothing" in again.output) == (2, True)
    second = environment(tmp_path / "other" / "study.sqlite", tmp_path / "other" / "pictures")
    restored = run(second, "restore", str(file))
    assert restored.exit_code == 0, restored.output
    assert "28 pictures" in restored.output
    assert run(second, "audit", "verify").exit_code == 0
    twice = run(second, "restore", str(file))
    assert (twice.exit_code, "not empty" in twice.output) == (2, True)


def test_a_folder_that_is_not_there_is_one_sentence_and_code_4(first: dict[str, str], tmp_path: Path) -> None:
    result = run(first, "backup", str(tmp_path / "nowhere" / "study.tar"))
    assert result.exit_code == 4
    assert "cannot be written" in result.output
