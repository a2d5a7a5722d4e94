"""`spade-study`: the human study, from pictures to answers.

Exit codes: 0 fine, 2 the command or its input makes no sense, 3 stopped, the same command goes on, 4 the machine or the
data on it cannot carry the work.
"""

import importlib
import sys
from typing import Any, NoReturn

import click

from .errors import EnvironmentProblem, StudyError

# Where commands live, imported when they are called: making pictures needs what a server of the study does not have.
_LATER = {
    "admin": ("study_app.commands.admin", "admin"),
    "audit": ("study_app.commands.audit", "audit"),
    "backup": ("study_app.commands.backup", "backup"),
    "close-run": ("study_app.commands.studies", "close_run"),
    "create-run": ("study_app.commands.studies", "create_run"),
    "create-study": ("study_app.commands.studies", "create_study"),
    "demo": ("study_app.commands.demo", "demo"),
    "exclude": ("study_app.commands.exclude", "exclude"),
    "export": ("study_app.commands.export", "export"),
    "invite": ("study_app.commands.studies", "invite"),
    "migrate": ("study_app.commands.database", "migrate"),
    "prize": ("study_app.commands.prize", "prize"),
    "restore": ("study_app.commands.backup", "restore"),
    "serve": ("study_app.commands.serve", "serve"),
    "simulate": ("study_app.commands.simulate", "simulate"),
    "stimuli": ("study_app.stimuli.command", "stimuli"),
    "veto": ("study_app.stimuli.command", "veto"),
    "contact-sheet": ("study_app.stimuli.command", "sheet"),
}


class _Sentences(click.Group):
    """Loads some commands when they are asked for, and turns failures into one sentence and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_LATER])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _LATER:
            return super().get_command(ctx, cmd_name)
        module, attribute = _LATER[cmd_name]
        try:
            command: click.Command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as problem:
            extra = "stimuli" if module.startswith("study_app.stimuli") else "study"
            return _absent(cmd_name, str(problem.name), extra)
        return command

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click declares it
        try:
            return super().invoke(ctx)
        except StudyError as problem:
            click.echo(str(problem), err=True)
            sys.exit(problem.exit_code)


def _absent(name: str, package: str, extra: str) -> click.Command:
    """A command that only says what it lacks, so that the help of the others can be read."""

    def refuse() -> NoReturn:
        raise EnvironmentProblem(f"'{name}' needs {package}, which is not installed here: pip install '.[{extra}]'.")

    return click.Command(
        name,
        callback=refuse,
        short_help=f"Not installed here: pip install '.[{extra}]'.",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        add_help_option=False,
    )


@click.group(cls=_Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spade-bench")
def main() -> None:
    """Run a human study: make its pictures, serve it, and take its answers out."""
