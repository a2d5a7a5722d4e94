"""The claims against the paper's own text: quoted to the letter, and none of its results left out in silence."""

import os
import re
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pytest

from data_manifests.claim import load

ROOT = Path(__file__).resolve().parents[2]
NAME = "spade-icml2024.md"


@pytest.fixture(scope="module")
def paper() -> str:
    """The paper in Markdown, as it is at hand; it is never committed."""
    data = os.environ.get("SPADE_SHARED_DATA")
    shared = Path(data).parent if data else ROOT.parent / "shared"
    path = shared / "paper" / NAME
    if not path.is_file():
        pytest.skip(f"the text of the paper is not on this machine ({NAME}, beside the folder of SPADE_SHARED_DATA)")
    return path.read_text(encoding="utf-8")


def plain(text: str) -> str:
    """Text on one line without emphasis; an escaped asterisk stays one, as in FastSPADE*."""
    return " ".join(text.replace(r"\*", "\0").replace("*", "").replace("\0", "*").split())


def stands(fragments: tuple[str, ...], text: str) -> bool:
    """Whether fragments stand in the text one after the other."""
    start = 0
    for fragment in fragments:
        at = text.find(fragment, start)
        if at < 0:
            return False
        start = at + len(fragment)
    return True


def test_every_quote_is_the_papers_own_words(paper: str) -> None:
    text = plain(paper)
    assert [claim.id for claim in load().claims if not stands(claim.fragments, text)] == []


def test_an_aside_is_the_papers_own_words(paper: str) -> None:
    text = plain(paper)
    assert [quote for aside in load().asides for quote in aside.quotes if quote not in text] == []


CITATION = re.compile(
    r"[A-Z][\w\u2019\-üé]+(?:\set\sal\.,?|\s&\s[A-Z]\w+,?|,)?\s?\[?\\?\(?(?:19|20)\d\d[a-z]?(?:;\s?(?:19|20)\d\d[a-z]?)*\\?\)?"
    r"|\b(?:19|20)\d\d;"
)
REFERENCE = re.compile(
    r"\b(?:in\s)?(?:Sections?|Tables?\.?|Fig\.|Figures?|Appendix|Algorithm|Equation|in)"
    r"\s(?:[A-Z]\.)?\d+(?:\.\d+)*(?:\sand\s(?:[A-Z]\.)?\d+(?:\.\d+)?)?|\bAppendix\s[A-Z](?:\.\d)?"
)
NAMES = re.compile(
    r"ResNet50|Food-?101|ImageNet-?1K|MobileNet-v2|MobileNet-V2|SST-2|top-1|2-dimensional|<sup>.*?</sup>"
)
MATHEMATICS = re.compile(r"\$[^$]*\$")
NUMBERED = re.compile(r"(?:(?<=\s)|^)\d\.(?=\s)")
RESULT = re.compile(
    r"\d|\b(?:improv\w*|increas\w*|higher|lower|better|worse|best(?! viewed)|biggest|larger|smaller|faster|slower"
    r"|inferior|superior|outperform\w*|gains?|rais(?:es|ing|ed)|reduc(?:es|ed)|drops?|enhanc\w*|no better"
    r"|significan\w*|substantial\w*|robust|more (?:effective|helpful|similar|likely|meaningful|intuitive|accurate)"
    r"|less (?:precise|relevant)|most of|majority|effective\w*|crucial|critical|near-perfect|similar accuracy)\b",
    re.IGNORECASE,
)


def results(paper: str) -> Iterator[tuple[str, int, int]]:
    """Sentences with a number or a comparison, and where each stands in what is searched.

    The abstract, sections 1, 3, 4 and 5, the captions and the appendices; section 2 is about the work of others, and
    tables, headings, formulas and the list of references are no sentences.
    """
    text = searched(paper)
    masked = text
    for pattern in (CITATION, REFERENCE, NAMES, MATHEMATICS, NUMBERED):
        masked = pattern.sub(lambda match: "_" * len(match[0]), masked)
    pieces = re.split(r"((?<=[.!?])\s+(?=[A-Z\u201c\"\u2018(_]))", masked)
    for piece, end in zip(pieces, accumulate(map(len, pieces)), strict=True):
        if RESULT.search(piece):
            yield text[end - len(piece) : end], end - len(piece), end


def searched(paper: str) -> str:
    parts = [
        paper[paper.index("## Abstract") : paper.index("## 2. Related Work")],
        paper[paper.index("### 3. The SPADE Method") : paper.index("## Impact Statement")],
        paper[paper.index("# Appendix\n") :],
    ]
    paragraphs = [paragraph for part in parts for paragraph in re.split(r"\n\s*\n", part)]
    kept = [one for one in paragraphs if "\t" not in one and not one.lstrip().startswith(("#", "$$", "**Procedure"))]
    return plain("\n".join(kept))


def test_every_sentence_with_a_number_or_a_comparison_is_a_claim_or_an_aside_with_a_reason(paper: str) -> None:
    text = searched(paper)
    claims = load()
    words = [fragment for claim in claims.claims for fragment in claim.fragments]
    words += [quote for aside in claims.asides for quote in aside.quotes]
    taken = [match.span() for one in words for match in re.finditer(re.escape(one), text)]
    left = [sentence for sentence, low, high in results(paper) if not any(a < high and b > low for a, b in taken)]
    assert left == []


def test_the_search_finds_a_result_that_no_claim_covers(paper: str) -> None:
    found = [sentence for sentence, _, _ in results(paper)]
    assert any("5.54%" in sentence for sentence in found)
    assert any("no better than" in sentence for sentence in found)
    # A name, a citation or a reference is no result.
    assert not any(sentence.startswith("We present the results in Table") for sentence in found)
