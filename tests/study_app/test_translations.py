"""Pages, catalogue and compiled file say the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import study_app
from study_app.language import LANGUAGES

PACKAGE = Path(study_app.__file__).parent
TRANSLATED = sorted(set(LANGUAGES) - {"en"})
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]


def used() -> Iterator[str]:
    """Every text that pages and templates mark for translation."""
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2)}
    for _, _, message, _, _ in extract_from_dir(str(PACKAGE), METHODS, keywords=keywords):
        yield message if isinstance(message, str) else message[0]


def po(language: str) -> Catalog:
    with (PACKAGE / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def texts(catalog: Catalog) -> dict[str, list[str]]:
    """Each text with its translation, or translations by number."""
    return {
        one.id if isinstance(one.id, str) else one.id[0]: [one.string]
        if isinstance(one.string, str)
        else list(one.string or ())
        for one in catalog
        if one.id
    }


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_and_none_is_left_over(language: str) -> None:
    catalog = po(language)
    kept = {one.id if isinstance(one.id, str) else one.id[0]: one for one in catalog if one.id}
    assert set(used()) == set(kept)
    for text, one in kept.items():
        forms = [one.string] if isinstance(one.string, str) else list(one.string or ())
        assert all(forms), text
        assert not one.fuzzy, text


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_asks_for_the_same_values(language: str) -> None:
    assert [str(error) for one in po(language) for error in one.check(po(language))] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_compiled_file_is_that_of_the_catalogue(language: str) -> None:
    with (PACKAGE / "translations" / language / "LC_MESSAGES" / "messages.mo").open("rb") as file:
        compiled = read_mo(file)
    assert texts(compiled) == texts(po(language))
