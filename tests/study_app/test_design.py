import pytest

from study_app.design import Design, parse
from study_app.errors import InputError

LEAST = 'slug = "s"\ntitle = "t"\n'


def test_what_a_file_leaves_out_is_the_papers() -> None:
    design = parse(LEAST)
    assert (design.tasks.per_rater, design.tasks.classes, design.tasks.catch_share) == (0, "both", 0.0)
    assert not design.tasks.one_view_per_image
    assert design.training.pages == ("instructions", "sample", "explanation", "trial", "summary", "skips")


def test_a_design_survives_being_stored() -> None:
    design = parse(LEAST + 'tasks.catch_share = 0.1\nentry.ways = ["prolific"]\nconsent.text.de = ["eins", "zwei"]')
    assert Design.from_json(design.as_json()) == design
    assert design.consent.text["de"] == ("eins", "zwei")


def test_a_line_is_said_in_the_language_where_there_is_one_and_as_it_stands_elsewhere() -> None:
    design = parse(LEAST + 'privacy.retention = "ten years"\nwords.de.title = "T"\nwords.de.retention = "zehn Jahre"')
    assert Design.from_json(design.as_json()) == design
    assert [design.said("title", one) for one in ("en", "de")] == ["t", "T"]
    assert [design.said("retention", one) for one in ("en", "de")] == ["ten years", "zehn Jahre"]
    assert [design.said("contact", one) for one in ("en", "de")] == ["", ""]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tasks.per_ratr = 3", "no key 'tasks.per_ratr'. did you mean 'per_rater'"),
        ('tasks.per_rater = "3"', "must be a whole number"),
        ("tasks.per_rater = true", "must be a whole number"),
        ("tasks.per_rater = -1", "must be 0 or more"),
        ('tasks.classes = "two"', "Allowed: both, one"),
        ("tasks.catch_share = 0.9", "between 0 and 0.5"),
        ("tasks.side_block = 3", "must be even"),
        ("entry.ways = []", "nobody could take part"),
        ('entry.ways = ["prolifik"]', "did you mean 'prolific'"),
        ("tasks = 3", "must be a table"),
        ('training.pages = ["trial", "trial"]', "names a page twice"),
        ("tasks.lease_minutes = 0", "must be 1 or more"),
        ('words.de.titel = "x"', "did you mean 'title'"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_its_name(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(LEAST + text)
    assert said in str(caught.value)


def test_a_design_without_a_title_is_refused() -> None:
    with pytest.raises(InputError, match="lacks 'title'"):
        parse('slug = "s"')
