"""A report as LaTeX, for a paper's appendix; its figures are the PDF files beside it."""

import re

from . import wording as say
from .document import Document, Figure, Paragraph, Points, Section, Table

PREAMBLE = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage[a4paper,margin=2cm]{geometry}
\usepackage{amssymb,booktabs,graphicx,longtable,array,textcomp}
\setlength{\tabcolsep}{4pt}
\begin{document}
"""

SIGNS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "\N{MINUS SIGN}": r"$-$",
    "\N{EM DASH}": "---",
    "\N{EN DASH}": "--",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{INFINITY}": r"$\infty$",
    "\N{GREEK SMALL LETTER ALPHA}": r"$\alpha$",
    "\N{GREEK SMALL LETTER CHI}": r"$\chi$",
    "\N{GREEK SMALL LETTER KAPPA}": r"$\kappa$",
    "\N{SUPERSCRIPT TWO}": r"$^2$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{LESS-THAN OR EQUAL TO}": r"$\leq$",
    "\N{GREATER-THAN OR EQUAL TO}": r"$\geq$",
    "\N{BULLET}": r"\textbullet{}",
    "\N{RIGHTWARDS ARROW}": r"$\rightarrow$",
    "\N{MIDDLE DOT}": r"\textperiodcentered{}",
    "\N{ELEMENT OF}": r"$\in$",
}
"""What LaTeX needs for each sign that reports use and its fonts do not take as it is."""


def render(document: Document) -> str:
    """The report as a LaTeX document."""
    parts = [rf"\section*{{{_text(document.title)}}}", *(_text(block.text) for block in document.lead)]
    for part in document.sections:
        parts += _section(part)
    facts: list[tuple[str, ...]] = list(document.facts)
    parts += [r"\subsection*{How it was made}", _tabular(("what", "value"), facts)]
    return PREAMBLE + "\n\n".join(parts) + "\n\n\\end{document}\n"


def _section(part: Section) -> list[str]:
    parts = [rf"\subsection*{{{_text(part.title)}}}"]
    for block in part.blocks:
        match block:
            case Paragraph():
                text = _text(block.text)
                quoted = block.tone in {"ready", "caveat"}
                parts.append(f"\\begin{{quote}}\n{text}\n\\end{{quote}}" if quoted else text)
            case Points():
                items = "\n".join(rf"\item {_text(item)}" for item in block.items)
                parts.append(f"\\begin{{itemize}}\n{items}\n\\end{{itemize}}")
            case Figure():
                parts.append(
                    "\\begin{center}\n"
                    rf"\includegraphics[width=.75\linewidth]{{{block.name}.pdf}}"
                    f"\n\n\\small {_text(block.caption)}\n\\end{{center}}"
                )
            case Table():
                parts += _captioned(block)
    return parts


def _captioned(block: Table) -> list[str]:
    header = (*block.header, "status") if block.marked else block.header
    rows = [(*row.cells, row.status) if block.marked else row.cells for row in block.rows]
    parts = [rf"\textbf{{{_text(block.caption)}}}", _tabular(header, rows)]
    note = " ".join(part for part in (block.note, say.computed(block.sources)) if part)
    return [*parts, rf"{{\small\raggedright {_text(note)}\par}}"] if note else parts


def _tabular(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    # Paragraph columns share the width as their longest cells do, so that nothing runs off the page.
    longest = [max(len(line[place]) for line in (header, *rows)) for place in range(len(header))]
    weight = [min(max(one, 5), 45) for one in longest]
    width = [0.97 * one / sum(weight) for one in weight]
    columns = "".join(
        rf">{{\raggedright\arraybackslash}}p{{\dimexpr{share:.3f}\linewidth-2\tabcolsep\relax}}" for share in width
    )
    lines = [" & ".join(map(_text, line)) + r" \\" for line in (header, *rows)]
    body = "\n".join(lines[1:])
    return (
        f"{{\\small\n\\begin{{longtable}}{{@{{}}{columns}@{{}}}}\n\\toprule\n{lines[0]}\n\\midrule\n\\endhead\n"
        f"{body}\n\\bottomrule\n\\end{{longtable}}}}"
    )


def _text(text: str) -> str:
    escaped = "".join(SIGNS.get(sign, sign) for sign in text)
    escaped = re.sub(r"`([^`]+)`", r"\\texttt{\1}", escaped)
    return re.sub(r"\*([^*\s][^*]*)\*", r"\\emph{\1}", escaped)
