"""A table of texts: drawn with rules on a terminal, one tab-separated line a row where a program reads it."""

from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.table import Table


@dataclass
class Grid:
    """Rows of texts under a header."""

    header: tuple[str, ...]
    title: str = ""
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add_row(self, *cells: str) -> None:
        """One row more.

        Raises:
            ValueError: it has another number of cells than the header.
        """
        if len(cells) != len(self.header):
            raise ValueError(f"a row of {len(cells)} cells under a header of {len(self.header)}")
        self.rows.append(cells)


def show(what: Grid | str, console: Console | None = None) -> None:
    """Print a grid or a sentence to standard output.

    On a terminal as a table that fits its width; elsewhere nothing is cut, folded or coloured, so that `cut`, `sort`
    and a spreadsheet can read it.
    """
    out = console or Console()
    if isinstance(what, str):
        out.print(what, markup=False, highlight=False, soft_wrap=True)
        return
    if not out.is_terminal:
        lines = [(what.title,)] if what.title else []
        for line in (*lines, what.header, *what.rows):
            # Straight to the file: a console would turn tabs into spaces.
            out.file.write("\t".join(" ".join(cell.split()) for cell in line) + "\n")
        return
    table = Table(*map(escape, what.header), title=escape(what.title) if what.title else None)
    for row in what.rows:
        table.add_row(*map(escape, row))
    out.print(table)
