"""A text file that is there whole or as it was before."""

from pathlib import Path

from spade.errors import EnvironmentProblem


def write(path: Path, text: str) -> None:
    """Put a text in a file, in one step.

    Raises:
        EnvironmentProblem: the file cannot be written.
    """
    fresh = path.with_name(path.name + ".fresh")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError as problem:
        raise EnvironmentProblem(f"{path} cannot be written: {problem.strerror}.") from problem
