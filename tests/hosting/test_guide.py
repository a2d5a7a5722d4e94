"""The guide's own commands in its order, without containers, on PostgreSQL and with secrets in files."""

import re
import shlex
from pathlib import Path

import drawn_stimuli
from click.testing import CliRunner

from study_app import migration
from study_app.cli import main
from study_app.database import Database

GUIDE = (Path(__file__).parents[2] / "docs" / "hosting.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^docker compose run .*\bapp spade-study (.*?)(?: +#.*)?$", GUIDE, flags=re.MULTILINE)
WANTED = ["create-study", "create-run", "invite", "close-run", "export", "migrate"]


def test_the_commands_of_the_guide_lead_from_rules_and_pictures_to_an_export(postgres_url: str, tmp_path: Path) -> None:
    lines = [line for line in COMMANDS if line.split()[0] in WANTED]
    assert [line.split()[0] for line in lines] == WANTED
    with Database(postgres_url) as database:
        migration.downgrade(database)
        migration.upgrade(database)  # as the server does when it starts
    (slug,) = {line.split()[1] for line in lines if line.startswith("create-run")}
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "rules.toml").write_text(f'slug = "{slug}"\ntitle = "Patterns"\n', encoding="utf-8")
    drawn_stimuli.write(tmp_path / "study" / "set", 2)
    for name, value in (("secret_key", "k" * 64), ("database_url", postgres_url)):
        (tmp_path / name).write_text(value + "\n", encoding="utf-8")
    environment = {
        "SPADE_STUDY_SECRET_KEY_FILE": str(tmp_path / "secret_key"),
        "SPADE_STUDY_DATABASE_URL_FILE": str(tmp_path / "database_url"),
        "SPADE_STUDY_PICTURES": str(tmp_path / "pictures"),
    }
    said: dict[str, str] = {}
    run = "RUN"
    for line in lines:
        moved = line.replace("/study/", f"{tmp_path}/study/").replace("/out", f"{tmp_path}/out")
        words = [run if word == "RUN" else word for word in shlex.split(moved)]
        done = CliRunner().invoke(main, words, env=environment)
        assert done.exit_code == 0, (line, done.output)
        said[words[0]] = done.output
        if words[0] == "create-run":
            (run,) = re.findall(r"^Run (\S+) ", done.output, flags=re.MULTILINE)
    assert len(said["invite"].split()) == 24
    assert (tmp_path / "out" / "responses.csv").is_file()
