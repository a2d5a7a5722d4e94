"""A report as Markdown; its figures are the files beside it."""

from . import wording as say
from .document import Document, Figure, Paragraph, Points, Section, Table


def render(document: Document) -> str:
    """The report as Markdown text."""
    parts = [f"# {document.title}", *(_paragraph(block) for block in document.lead)]
    for part in document.sections:
        parts += _section(part)
    parts.append("## How it was made")
    parts.append(_table(("what", "value"), [(name, value) for name, value in document.facts]))
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(part: Section) -> list[str]:
    parts = [f"## {part.title}"]
    for block in part.blocks:
        match block:
            case Paragraph():
                parts.append(_paragraph(block))
            case Points():
                parts.append("\n".join(f"- {item}" for item in block.items))
            case Figure():
                parts += [f"![{_plain(block.alt)}]({block.name}.svg)", f"*{_plain(block.caption)}*"]
            case Table():
                parts += _captioned(block)
    return parts


def _captioned(block: Table) -> list[str]:
    header = (*block.header, "status") if block.marked else block.header
    rows = [(*row.cells, row.status) if block.marked else row.cells for row in block.rows]
    note = " ".join([block.note, say.computed(block.sources)]).strip()
    return [f"**{block.caption}**", _table(header, rows), note]


def _paragraph(block: Paragraph) -> str:
    return f"> {block.text}" if block.tone in {"ready", "caveat"} else block.text


def _plain(text: str) -> str:
    return text.replace("*", "").replace("`", "").replace("[", "(").replace("]", ")")


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
