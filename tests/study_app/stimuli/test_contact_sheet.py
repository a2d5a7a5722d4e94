from typing import Any

from study_app.stimuli import contact_sheet


def entry(ref: str, **more: Any) -> dict[str, Any]:
    picture = {"file": f"pictures/{ref}.png", "sha256": "0"}
    arms = {arm: picture | {"file": f"pictures/{ref}-{arm}.png", "score": 12.34} for arm in ("dense", "spade")}
    return {
        "ref": ref,
        "true_class": "cat <b>",
        "pred_class": "dog",
        "true_probability": 0.25,
        "pred_probability": 0.5,
        "picture": picture,
        "regions": {role: picture | {"area_frac": 0.1} for role in ("true", "pred")},
        "visualisations": {"true": arms, "pred": arms},
        "trace": {"says": "dog", "keeps_prediction": True},
        **more,
    }


CONTENT = {
    "format": 1,
    "made": {
        "from": {"seed": 0, "block": ["layer4"]},
        "with": {"torch": "2"},
        "rejected": [{"ref": "x", "reason": "the regions overlap"}, {"ref": "y", "reason": "unreadable: bad file"}],
    },
    "images": [entry("a"), entry("b", vetoed="both crops show the same")],
}


def test_every_picture_is_on_the_page_and_nothing_is_loaded_from_elsewhere() -> None:
    page = contact_sheet.page(CONTENT, "demo")
    for name in ("a", "a-dense", "a-spade", "b"):
        assert f'src="pictures/{name}.png"' in page
    assert page.count("<img") == 14
    assert "http" not in page
    assert "<script" not in page


def test_names_are_text_and_not_markup() -> None:
    page = contact_sheet.page(CONTENT, "demo")
    assert "cat &lt;b&gt;" in page
    assert "cat <b>" not in page


def test_vetoed_samples_stay_on_the_page_with_their_reason() -> None:
    page = contact_sheet.page(CONTENT, "demo")
    assert "Vetoed: both crops show the same" in page
    assert "2 samples, 4 tasks (1 vetoed)" in page


def test_rejections_are_counted_by_reason() -> None:
    page = " ".join(contact_sheet.page(CONTENT, "demo").split())
    assert "1 because the regions overlap" in page
    assert "1 because unreadable" in page
