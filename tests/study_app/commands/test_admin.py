from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from study_app.cli import main
from study_app.database import Database
from study_app.models import Admin, Audit

GOOD = "correct horse battery"


@pytest.fixture
def environment(tmp_path: Path, migrated_file: Path) -> dict[str, str]:
    file = tmp_path / "study.sqlite"
    file.write_bytes(migrated_file.read_bytes())
    return {
        "SPADE_STUDY_SECRET_KEY": "k" * 40,
        "SPADE_STUDY_DATABASE_URL": f"sqlite:///{file}",
        "SPADE_STUDY_PICTURES": str(tmp_path / "pictures"),
    }


def run(environment: dict[str, str], *words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, words, env=environment, input=typed)


def test_an_admin_is_added_gets_a_new_password_and_goes(environment: dict[str, str]) -> None:
    added = run(environment, "admin", "add", "ada", typed=f"{GOOD}\n{GOOD}\n")
    assert added.exit_code == 0, added.output
    assert GOOD not in added.output
    with Database(environment["SPADE_STUDY_DATABASE_URL"]) as database, database.reading() as session:
        first = session.scalars(select(Admin.password_hash)).one()
        assert first.startswith("scrypt:")
    given = {**environment, "STUDY_ADMIN_PASSWORD": "another horse battery"}
    assert "logged out everywhere" in run(given, "admin", "password", "ada").output
    assert run(given, "admin", "add", "grace").exit_code == 0
    assert [line.split("\t")[0] for line in run(environment, "admin", "list").output.splitlines()] == ["ada", "grace"]
    assert run(environment, "admin", "remove", "ada").exit_code == 0
    with Database(environment["SPADE_STUDY_DATABASE_URL"]) as database, database.reading() as session:
        assert session.scalars(select(Admin.name)).all() == ["grace"]
        assert session.scalars(select(Admin.password_hash)).one() != first
        told = [(one.action, one.object) for one in session.scalars(select(Audit).order_by(Audit.id))]
        expected = [
            ("add admin", "ada"),
            ("set admin password", "ada"),
            ("add admin", "grace"),
            ("remove admin", "ada"),
        ]
        assert told == expected
        assert "horse" not in str(session.scalars(select(Audit.detail_json)).all())


@pytest.mark.parametrize(
    ("words", "word", "said"),
    [
        (["add", "ada"], "short", "A password of 5 characters is no good"),
        (["add", "a b"], GOOD, "'a b' cannot be the name of an admin"),
        (["add", ""], GOOD, "'' cannot be the name of an admin"),
        (["add", "known"], GOOD, "There is an admin 'known' already"),
        (["password", "knwon"], GOOD, "There is no admin 'knwon'. did you mean 'known'?"),
        (["remove", "nobody"], GOOD, "There is no admin 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_code_2(
    environment: dict[str, str], words: list[str], word: str, said: str
) -> None:
    run({**environment, "STUDY_ADMIN_PASSWORD": GOOD}, "admin", "add", "known")
    result = run({**environment, "STUDY_ADMIN_PASSWORD": word}, "admin", *words)
    assert result.exit_code == 2, result.output
    assert said in result.output
