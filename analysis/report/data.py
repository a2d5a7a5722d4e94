"""A report as JSON: its numbers at full precision, and the words around them."""

import json
from typing import Any

from .document import Document, Figure, Paragraph, Points, Table


def render(document: Document) -> str:
    """The report as JSON text; figures stand in files of their own and are named here."""
    tree = {
        "kind": document.kind,
        "title": document.title,
        "facts": dict(document.facts),
        "lead": [block.text for block in document.lead],
        "numbers": dict(document.numbers),
        "sections": [
            {"id": part.id, "title": part.title, "blocks": [_block(block) for block in part.blocks]}
            for part in document.sections
        ],
    }
    return json.dumps(tree, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _block(block: Paragraph | Points | Table | Figure) -> dict[str, Any]:
    match block:
        case Paragraph():
            return {"paragraph": block.text, "tone": block.tone}
        case Points():
            return {"points": list(block.items)}
        case Figure():
            return {"figure": f"{block.name}.svg", "caption": block.caption, "sources": list(block.sources)}
    return {
        "table": block.name,
        "caption": block.caption,
        "header": list(block.header),
        "rows": [{"cells": list(row.cells), "status": row.status} for row in block.rows],
        "note": block.note,
        "sources": list(block.sources),
    }
