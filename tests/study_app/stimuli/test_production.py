import hashlib
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spade.errors import InputError
from study_app import stimulus_set
from study_app.stimuli import item, journal, manifest, production, subject, veto
from study_app.stimuli.recipe import Recipe
from study_app.stimuli.regions import RegionRule


def produced(recipe: Recipe, folder: Path, **options: Any) -> dict[str, Any]:
    production.produce(recipe, subject.load(recipe), folder, **options)
    return manifest.read(folder)


def pictures(content: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for entry in content["images"]:
        found += [entry["picture"], *entry["regions"].values()]
        found += [picture for arms in entry["visualisations"].values() for picture in arms.values()]
    return found


@pytest.fixture(scope="module")
def finished(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A set of two samples, and its manifest."""
    folder = tmp_path_factory.mktemp("finished")
    return folder, produced(recipe, folder)


def test_two_samples_make_eight_tasks(finished: tuple[Path, dict[str, Any]]) -> None:
    _, content = finished
    assert len(content["images"]) == 2
    arms = [
        (role, arm) for entry in content["images"] for role in ("true", "pred") for arm in entry["visualisations"][role]
    ]
    assert len(arms) == 8
    assert all(entry["true_class"] != entry["pred_class"] for entry in content["images"])


def test_the_server_reads_the_set_and_leaves_vetoed_samples_out(
    finished: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, content = finished
    whole = stimulus_set.read(folder)
    assert [image.ref for image in whole.images] == [entry["ref"] for entry in content["images"]]
    assert (whole.size.width, whole.size.height) == (32, 32)
    assert set(whole.images[0].visualisations) == {
        (role, arm) for role in ("true", "pred") for arm in ("dense", "spade")
    }
    shutil.copytree(folder, tmp_path / "set")
    said = veto.vetoed(content, ["1"], reason="blank crop", at=datetime(2026, 1, 1, tzinfo=UTC))
    manifest.write(tmp_path / "set", said)
    assert [image.ref for image in stimulus_set.read(tmp_path / "set").images] == [content["images"][1]["ref"]]


def test_every_picture_has_the_hash_the_manifest_gives_it(finished: tuple[Path, dict[str, Any]]) -> None:
    folder, content = finished
    for picture in pictures(content):
        assert hashlib.sha256((folder / picture["file"]).read_bytes()).hexdigest() == picture["sha256"]


def test_pictures_are_of_one_size_carry_no_metadata_and_have_names_that_say_nothing(
    finished: tuple[Path, dict[str, Any]],
) -> None:
    folder, content = finished
    for picture in pictures(content):
        data = (folder / picture["file"]).read_bytes()
        with Image.open(folder / picture["file"]) as image:
            assert (image.size, image.mode, image.format, image.info) == ((32, 32), "RGB", "PNG", {})
        assert picture["file"] == f"pictures/{hashlib.sha256(data).hexdigest()[:24]}.png"
    assert {path.suffix for path in (folder / "pictures").iterdir()} == {".png"}


def test_the_regions_of_a_sample_reveal_its_image_and_share_nothing(finished: tuple[Path, dict[str, Any]]) -> None:
    folder, content = finished

    def read(picture: dict[str, Any]) -> Any:
        return np.asarray(Image.open(folder / picture["file"]))

    for entry in content["images"]:
        image = read(entry["picture"])
        shown = [read(entry["regions"][role]) for role in ("true", "pred")]
        masks = [(one != 128).any(axis=2) for one in shown]
        assert not (masks[0] & masks[1]).any()
        for role, one, mask in zip(("true", "pred"), shown, masks, strict=True):
            assert (one[mask] == image[mask]).all()
            left, top, width, height = entry["regions"][role]["bbox"]
            outside = mask.copy()
            outside[top : top + height, left : left + width] = False
            assert not outside.any()


def test_the_arms_of_a_class_differ_by_the_pruning_alone(finished: tuple[Path, dict[str, Any]]) -> None:
    _, content = finished
    for entry in content["images"]:
        for arms in entry["visualisations"].values():
            assert arms["dense"]["seed"] == arms["spade"]["seed"]
            assert (arms["dense"]["sparsity"], arms["spade"]["sparsity"]) == (0.0, 0.9)
            assert arms["dense"]["sha256"] != arms["spade"]["sha256"]
        # ceil(.9 * 8 * 9 * 12) of 864 and ceil(.9 * 1728) of 1728 weights
        assert entry["trace"]["sparsity"] == {"1.0": 778 / 864, "1.2": 1556 / 1728}


def test_the_manifest_says_what_it_was_made_from(laboratory: Path, finished: tuple[Path, dict[str, Any]]) -> None:
    made = finished[1]["made"]["from"]
    for name, file in (("weights_sha256", "w.safetensors"), ("code_sha256", "network.py")):
        assert made[name] == hashlib.sha256((laboratory / file).read_bytes()).hexdigest()
    assert (made["model"], made["block"], made["cam_layer"], made["ascent"]["steps"]) == (
        "network.py:build",
        ["1"],
        "1",
        3,
    )
    sources = {entry["ref"]: entry["source_sha256"] for entry in finished[1]["images"]}
    for ref, sha256 in sources.items():
        assert hashlib.sha256((laboratory / "images" / ref).read_bytes()).hexdigest() == sha256
    assert str(laboratory) not in json.dumps(finished[1])


def test_the_same_recipe_gives_the_same_set_and_another_seed_another(
    recipe: Recipe, finished: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    assert produced(recipe, tmp_path / "again") == finished[1]
    other = produced(replace(recipe, seed=1), tmp_path / "other")
    assert {one["sha256"] for one in pictures(other)} != {one["sha256"] for one in pictures(finished[1])}


@pytest.mark.parametrize("interrupted_at", ["pruning", "visualisations", "journal", "manifest"])
def test_a_killed_run_goes_on_and_ends_with_the_same_set(
    recipe: Recipe,
    finished: tuple[Path, dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    interrupted_at: str,
) -> None:
    class Killed(BaseException):
        pass

    def watch(what: str, share: float) -> None:
        if what == interrupted_at and share > 0:
            raise Killed

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if interrupted_at == "journal":
            patch.setattr(journal.Journal, "add", killed)
        if interrupted_at == "manifest":
            patch.setattr(manifest, "write", killed)
        with pytest.raises(Killed):
            produced(recipe, tmp_path, watch=watch)
    made_again: list[str] = []
    with monkeypatch.context() as patch:
        real = item.made

        def counted(candidate: subject.Candidate, *arguments: Any, **options: Any) -> dict[str, Any]:
            made_again.append(candidate.source.ref)
            return real(candidate, *arguments, **options)

        patch.setattr(item, "made", counted)
        assert produced(recipe, tmp_path) == finished[1]
    # After the manifest was about to be written nothing is left to make.
    assert len(made_again) == (0 if interrupted_at == "manifest" else 2)
    assert not (tmp_path / journal.NAME).exists()
    assert {one.name for one in (tmp_path / "pictures").iterdir()} == {
        one.name for one in (finished[0] / "pictures").iterdir()
    }


def test_a_finished_set_is_left_as_it_is(
    recipe: Recipe, finished: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item, "made", lambda *_, **__: pytest.fail("nothing is left to make"))
    assert produced(recipe, finished[0]) == finished[1]


def test_a_set_can_grow_and_keeps_its_vetoes(recipe: Recipe, tmp_path: Path) -> None:
    small = produced(replace(recipe, samples=1), tmp_path)
    said = veto.vetoed(small, ["1"], reason="blank crop", at=datetime(2026, 1, 1, tzinfo=UTC))
    manifest.write(tmp_path, said)
    grown = produced(recipe, tmp_path)
    assert [entry.get("vetoed") for entry in grown["images"]] == ["blank crop", None]
    assert grown["images"][0]["picture"] == small["images"][0]["picture"]
    at_once = produced(recipe, tmp_path / "at once")
    assert [entry["regions"] for entry in grown["images"]] == [entry["regions"] for entry in at_once["images"]]
    assert grown["made"]["rejected"] == at_once["made"]["rejected"]


def test_a_dense_visualisation_is_made_once_a_class(recipe: Recipe, tmp_path: Path) -> None:
    content = produced(replace(recipe, samples=4), tmp_path)
    dense: dict[str, set[str]] = {}
    for entry in content["images"]:
        for role in ("true", "pred"):
            dense.setdefault(entry[f"{role}_class"], set()).add(entry["visualisations"][role]["dense"]["sha256"])
    assert {len(hashes) for hashes in dense.values()} == {1}
    assert len(dense) < 8  # some class comes twice, or this shows nothing


def test_too_few_samples_are_told_with_the_reasons_and_can_be_taken(recipe: Recipe, tmp_path: Path) -> None:
    # A threshold this low joins everything.
    strict = replace(recipe, samples=30, regions=RegionRule(threshold=0.5, least=0.0, most=1.0))
    with pytest.raises(
        InputError, match=r"Only \d+ of 30 samples were found: of 20 images .* times the regions overlap"
    ):
        produced(strict, tmp_path / "strict")
    with pytest.raises(InputError, match=r"Only \d+ of 30 samples"):
        produced(replace(recipe, samples=30), tmp_path / "loose")
    content = produced(replace(recipe, samples=30), tmp_path / "loose", allow_fewer=True)
    assert 0 < len(content["images"]) < 30


def test_another_recipe_in_the_same_folder_is_refused(
    recipe: Recipe, finished: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="holds a finished set made from something else"):
        produced(replace(recipe, sparsity=0.5), finished[0])
    journal.opened(tmp_path, {"seed": 0})
    with pytest.raises(InputError, match=r"a set begun with other .*sparsity"):
        produced(recipe, tmp_path)


def test_an_image_that_cannot_be_read_is_left_out_and_named(recipe: Recipe, laboratory: Path, tmp_path: Path) -> None:
    for name in ("ant", "bee", "cat", "dog <3"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for path in (laboratory / "images" / name).iterdir():
            (tmp_path / "images" / name / path.name).write_bytes(path.read_bytes())
    (tmp_path / "images" / "ant" / "0.png").write_bytes(b"no picture")
    content = produced(replace(recipe, images=tmp_path / "images", samples=30), tmp_path / "set", allow_fewer=True)
    (told,) = [one for one in content["made"]["rejected"] if one["reason"].startswith("unreadable")]
    assert told["ref"] == "ant/0.png"
    assert "is not a picture" in told["reason"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model": "resnet18"}, "another network than resnet18"),
        ({"weights": Path("nowhere.pt")}, "no weights file at nowhere.pt"),
        ({"images": Path("nowhere")}, "no folder of images at nowhere"),
        ({"cam_layer": "4"}, "cam_layer '4' gives no map of several positions; these do: .*1"),
        ({"block": ("layer4",)}, "No layer is in 'layer4'"),
    ],
)
def test_what_does_not_fit_together_is_told(recipe: Recipe, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        subject.load(replace(recipe, **change))


def test_class_names_of_another_network_are_told(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("ant\nbee\ncat\n")
    with pytest.raises(InputError, match="names 3 classes, but the network has 4 outputs"):
        subject.load(replace(recipe, classes=tmp_path / "classes.txt"))
