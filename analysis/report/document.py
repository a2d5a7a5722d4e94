"""What a report says, block by block, without layout.

Text carries two marks, as in Markdown: *statistical letters* in italics and `code`. Everything else is plain.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Tone = Literal["", "finding", "caveat", "ready"]
"""How a paragraph is meant: plain, what is found, what a reader must know, or a sentence ready to paste."""

CONFIRMATORY, EXPLORATORY = "confirmatory", "exploratory"


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of text."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True)
class Points:
    """A list of short sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A row of a table: a cell a column, and whether the analysis in it was fixed before the data were seen."""

    cells: tuple[str, ...]
    status: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """A table; its first column names its rows. `sources` are the functions its numbers come from."""

    name: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""
    sources: tuple[str, ...] = ()

    @property
    def marked(self) -> bool:
        """Whether its rows say if they are confirmatory."""
        return any(row.status for row in self.rows)


@dataclass(frozen=True)
class Figure:
    """A figure as SVG and PDF, with what it shows in words for who cannot see it."""

    name: str
    caption: str
    alt: str
    svg: bytes = field(repr=False)
    pdf: bytes = field(repr=False)
    sources: tuple[str, ...] = ()


Block = Paragraph | Points | Table | Figure


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A report: a title, what it comes to in a few sentences, sections, and the numbers themselves as a tree."""

    kind: str
    title: str
    lead: tuple[Paragraph, ...]
    sections: tuple[Section, ...]
    facts: tuple[tuple[str, str], ...]
    """How it was made: input, hash, seed, versions."""
    numbers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Every number at full precision, as JSON has them."""

    @property
    def figures(self) -> Iterator[Figure]:
        """Its figures in order."""
        for section in self.sections:
            yield from (block for block in section.blocks if isinstance(block, Figure))


def section(name: str, title: str, *blocks: Block | Sequence[Block | None] | None) -> Section:
    """A section of blocks, lists of blocks unfolded and None left out."""
    flat: list[Block] = []
    for block in blocks:
        if isinstance(block, (Paragraph, Points, Table, Figure)):
            flat.append(block)
        elif block is not None:
            flat += [one for one in block if one is not None]
    return Section(name, title, tuple(flat))
