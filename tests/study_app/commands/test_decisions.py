"""`exclude` and `audit`, on a run with two raters."""

import re

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete, update
from study_world import World

from study_app import audit
from study_app.cli import main
from study_app.models import Audit, Participant


@pytest.fixture
def names(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The run and a rater in it; commands find the database."""
    monkeypatch.setenv("SPADE_STUDY_SECRET_KEY", "a secret of the tests, long enough to be one")
    monkeypatch.setenv("SPADE_STUDY_DATABASE_URL", world.database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("SPADE_STUDY_PICTURES", str(world.store.folder))
    with world.writing() as (session, run):
        person: Participant = world.join(session, run, 1)
        world.join(session, run, 2)
        return run.token, person.token


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def test_a_rater_is_excluded_and_counted_again(names: tuple[str, str]) -> None:
    assert "do not count any more (careless)" in run("exclude", *names, "--reason", "careless").output
    assert "excluded already" in run("exclude", *names, "--reason", "careless").output
    assert "count again" in run("exclude", *names, "--undo", "--note", "a slip").output
    listed = [line.split("\t") for line in run("audit", "list", names[0]).output.splitlines()]
    assert [(row[1], row[2], row[3]) for row in listed] == [
        ("command line", "exclude", names[1]),
        ("command line", "readmit", names[1]),
    ]
    said = run("audit", "verify", names[0])
    assert said.exit_code == 0
    assert "2 rows are about run" in said.output
    assert "2 rows, and every link holds." in said.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{run}", "{rater}"], "Give a reason: --reason with one of preregistered"),
        (["{run}", "{rater}", "--reason", "carless"], "did you mean 'careless'?"),
        (["{run}", "{rater}", "--reason", "other"], "needs a note"),
        (["{run}", "nobody", "--reason", "careless"], "There is no rater 'nobody'"),
        (["nothing", "{rater}", "--reason", "careless"], "There is no run 'nothing'"),
        (["{run}", "{rater}", "--undo"], "is not excluded"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_code_2(names: tuple[str, str], words: list[str], said: str) -> None:
    result = run("exclude", *(word.format(run=names[0], rater=names[1]) for word in words))
    assert result.exit_code == 2
    assert said in result.output


def test_a_broken_chain_is_code_1_and_names_its_first_broken_link(names: tuple[str, str], world: World) -> None:
    for number in range(4):
        with world.database.writing() as session:
            audit.append(session, actor="a", action="b", target=f"c{number}", detail={}, now=world.clock())
    (last,) = re.findall(r"Last hash: (\w+)", run("audit", "verify").output)
    assert run("audit", "verify", names[0], "--contains", last).exit_code == 0
    with world.database.writing() as session:
        session.execute(delete(Audit).where(Audit.object == "c3"))
    cut = run("audit", "verify", "--contains", last)
    assert (cut.exit_code, "end was cut off" in cut.output) == (1, True)
    assert run("audit", "verify").exit_code == 0  # nothing else can tell
    with world.database.writing() as session:
        session.execute(update(Audit).where(Audit.object == "c1").values(detail_json='{"n": 1}'))
    broken = run("audit", "verify", names[0])
    assert broken.exit_code == 1
    assert "broken at row 2 (b of c1 by a" in broken.output
    assert "not what was written then" in broken.output
