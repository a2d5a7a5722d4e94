"""The four forms of a report, on a document with everything in it that could break one of them."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from matplotlib.figure import Figure as Canvas

from analysis.report import data, latex, markdown, page, write
from analysis.report.document import Document, Figure, Paragraph, Points, Row, Table, section
from analysis.report.figures import Bar, Series, curves, draw, forest

AWKWARD = 'a<b & "c" | 50 % of *p* < .05, `x_y`, {brace} #1 \\ $2 ~ ^ \N{MINUS SIGN}1'


def figure() -> Figure:
    return forest(
        "one", [Bar("first", 1.0, 0.0, 2.0), Bar("second", -1.0, float("nan"), 0)], label="x", caption="c", alt='"alt"'
    )


def document() -> Document:
    return Document(
        "test",
        AWKWARD,
        (Paragraph(AWKWARD, "finding"),),
        (
            section(
                "one",
                AWKWARD,
                Paragraph(AWKWARD, "ready"),
                [Points((AWKWARD, "two")), None],
                Table(
                    "t",
                    AWKWARD,
                    ("name", AWKWARD),
                    (Row(("r", AWKWARD), "confirmatory", strong=True),),
                    AWKWARD,
                    ("a.b",),
                ),
                figure(),
            ),
        ),
        (("seed", "0"),),
        {"value": 0.1, "nothing": None},
    )


class Page(HTMLParser):
    """Tags that were opened and not closed, and addresses."""

    VOID = ("meta", "img", "link", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_the_page_is_whole_and_asks_nothing_of_any_network() -> None:
    text = page.render(document())
    read = Page()
    read.feed(text)
    assert (read.open, read.wrong) == ([], [])
    assert all(address.startswith(("#", "data:image/svg+xml;base64,")) for address in read.addresses)
    assert "<script" not in text
    assert "url(" not in text
    assert 'alt="&#34;alt&#34;"' in text


def test_text_is_escaped_and_its_two_marks_are_set() -> None:
    assert (
        page.marked("a < b, *p* < .05 `x`")
        == "a &lt; b, <em>p</em>\N{NO-BREAK SPACE}&lt;\N{NO-BREAK SPACE}.05 <code>x</code>"
    )
    assert page.marked("2 * 3 * 4") == "2 * 3 * 4"


def test_json_has_no_number_that_json_has_not() -> None:
    tree = json.loads(data.render(document()), parse_constant=lambda text: (_ for _ in ()).throw(ValueError(text)))
    assert tree["numbers"] == {"value": 0.1, "nothing": None}
    assert tree["sections"][0]["blocks"][2]["rows"][0]["status"] == "confirmatory"


def test_a_markdown_table_keeps_its_columns() -> None:
    lines = [line for line in markdown.render(document()).splitlines() if line.startswith("| r ")]
    assert len(lines) == 1
    # name, value, status
    assert len(re.findall(r"(?<!\\)\|", lines[0])) == 4


def test_latex_has_no_bare_special_character_and_balanced_braces() -> None:
    body = latex.render(document()).split(r"\begin{document}")[1]
    lines = [line for line in body.splitlines() if not line.startswith((r"\begin{longtable}", r"\includegraphics"))]
    escaped = re.sub(r"\$[^$]*\$", "", re.sub(r"\\[^a-zA-Z]", "", "\n".join(lines)))
    assert escaped.count("{") == escaped.count("}")
    assert re.findall(r"[%#_~^<>]", escaped) == []
    assert r"\emph{p}" in body


def test_the_same_document_gives_the_same_bytes(tmp_path: Path) -> None:
    write(document(), tmp_path / "first")
    write(document(), tmp_path / "second")
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert names == ["index.html", "one.pdf", "one.svg", "report.json", "report.md", "report.tex"]
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name


def test_a_drawn_point_stands_where_its_value_is() -> None:
    seen: list[Canvas] = []

    def paint(canvas: Canvas) -> None:
        seen.append(canvas)
        canvas.subplots().plot([1.0], [2.0], marker="o")

    draw("x", paint, height=2, caption="", alt="")
    (line,) = seen[0].axes[0].lines
    assert line.get_xydata().tolist() == [[1.0, 2.0]]


def test_names_of_lines_that_end_together_do_not_lie_on_each_other() -> None:
    series = [Series(name, (1.0, 2.0), (0.1, 0.9)) for name in ("one", "two", "three")]
    svg = curves("c", series, x_label="x", y_label="y", caption="", alt="").svg.decode()
    assert svg.startswith("<?xml")
