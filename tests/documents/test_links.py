"""Links in the documents lead somewhere, and every decision page can be found."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = ROOT / "docs" / "decisions"


def prose(text: str) -> str:
    """`text` without fenced code, in which brackets are no links."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def links(text: str) -> Iterator[str]:
    """Targets of the Markdown links in `text` that stay in the repository."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(text)):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(text: str) -> set[str]:
    """Names that a heading of `text` can be reached by, as hosting sites make them."""
    headings = re.findall(r"^#+ +(.+)$", prose(text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def broken(document: Path) -> list[str]:
    """The links of `document` that lead nowhere."""
    found = []
    for target in links(document.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        if not file.exists() or (anchor and anchor not in anchors(file.read_text(encoding="utf-8"))):
            found.append(target)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_resolves(document: Path) -> None:
    assert broken(document) == []


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One heading, here\n[a](page.md) [b](#one-heading-here) [c](gone.md) [d](page.md#gone) [e](https://x.org)\n"
        "```\n[f](code.md)\n```\n"
    )
    assert broken(page) == ["gone.md", "page.md#gone"]


def test_the_index_of_decisions_lists_every_page() -> None:
    listed = set(links((DECISIONS / "README.md").read_text(encoding="utf-8")))
    assert {path.name for path in DECISIONS.glob("*.md")} - {"README.md"} <= listed


@pytest.mark.parametrize("page", sorted(DECISIONS.glob("*.md")), ids=lambda path: path.name)
def test_a_decision_page_opens_with_its_title(page: Path) -> None:
    assert re.match(r"# \S.*\n", page.read_text(encoding="utf-8"))


def test_the_readme_links_every_package_and_the_decisions() -> None:
    targets = set(links((ROOT / "README.md").read_text(encoding="utf-8")))
    first = {target.partition("/")[0] for target in targets}
    assert {"data_manifests", "spade", "benchmark", "study_app", "analysis"} <= first
    assert "docs/decisions/README.md" in targets
