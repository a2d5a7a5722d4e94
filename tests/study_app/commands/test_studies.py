import re
from pathlib import Path

import drawn_stimuli
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from study_app.cli import main
from study_app.database import Database
from study_app.models import Identity, Run, Study, Task


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "SPADE_STUDY_SECRET_KEY": "k" * 40,
        "SPADE_STUDY_DATABASE_URL": f"sqlite:///{tmp_path / 'study.sqlite'}",
        "SPADE_STUDY_PICTURES": str(tmp_path / "pictures"),
    }


def run(environment: dict[str, str], *words: str) -> Result:
    return CliRunner().invoke(main, words, env=environment)


def test_commands_lead_from_nothing_to_links_and_back(environment: dict[str, str], tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('slug = "mine"\ntitle = "Mine"\n')
    stimuli = drawn_stimuli.write(tmp_path / "set", 2)
    assert re.search(r"was at nothing and is at \d{4}\.", run(environment, "migrate").output)
    assert "2 images and 8 tasks" in run(environment, "create-study", str(rules), str(stimuli)).output
    said = run(environment, "create-run", "mine", "--seed", "5").output
    token = re.search(r"Run (\S+) \(main, seed 5\) is open", said)
    assert token, said
    links = run(environment, "invite", token[1], "--count", "3").output.split()
    assert len(set(links)) == 3
    assert "is closed since" in run(environment, "close-run", token[1]).output
    database = Database(environment["SPADE_STUDY_DATABASE_URL"])
    with database.reading() as db:
        counts = [db.scalar(select(func.count()).select_from(one)) for one in (Study, Task, Run, Identity)]
        code = links[0].removeprefix("/enter?code=")
        assert code not in str(db.scalars(select(Identity.code_sha256)).all())
    database.dispose()
    assert counts == [1, 2 * (4 + 4 + 2), 1, 3]  # an image has 4 main, 4 repeat and 2 catch tasks
    assert "is at nothing" in run(environment, "migrate", "--down-to", "base", "--yes").output


def test_an_invitation_that_would_be_refused_at_the_door_is_not_made(
    environment: dict[str, str], tmp_path: Path
) -> None:
    stimuli = drawn_stimuli.write(tmp_path / "set", 2)
    run(environment, "migrate")
    for slug, ways in (("shut", '["prolific"]'), ("mine", '["invitation"]')):
        (tmp_path / slug).write_text(f'slug = "{slug}"\ntitle = "T"\nentry.ways = {ways}\ntasks.per_rater = 40\n')
        said = run(environment, "create-study", str(tmp_path / slug), str(stimuli)).output
        assert "tasks.per_rater is 40, but there are 8 for a rater: each gets 8." in said
    kinds = {"prolific": ("shut", "main"), "simulated": ("mine", "bot"), "not open": ("mine", "main")}
    for words, (slug, kind) in kinds.items():
        token = run(environment, "create-run", slug, "--kind", kind).output.split()[1]
        if words == "not open":
            run(environment, "close-run", token)
        result = run(environment, "invite", token)
        assert (result.exit_code, words in result.output) == (2, True), result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["create-run", "minne"], "There is no study 'minne'"),
        (["invite", "nowhere"], "There is no run 'nowhere'"),
        (["close-run", "nowhere"], "There is no run 'nowhere'"),
    ],
)
def test_a_wrong_name_is_one_sentence_and_code_2(environment: dict[str, str], words: list[str], said: str) -> None:
    run(environment, "migrate")
    result = run(environment, *words)
    assert result.exit_code == 2
    assert said in result.output


def test_without_settings_a_command_says_which_is_missing() -> None:
    result = run({"SPADE_STUDY_SECRET_KEY": "k" * 40}, "migrate")
    assert result.exit_code == 2
    assert "SPADE_STUDY_DATABASE_URL is not set" in result.output
