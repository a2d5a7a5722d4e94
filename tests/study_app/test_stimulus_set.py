import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import drawn_stimuli
import pytest

from study_app import stimulus_set
from study_app.errors import InputError
from study_app.pictures import PictureAltered, PictureStore, inspect, padded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return drawn_stimuli.write(tmp_path / "set", 2)


def changed(folder: Path, change: Callable[[Any], object]) -> None:
    """Apply a function to the manifest."""
    path = folder / stimulus_set.MANIFEST
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_a_set_is_read_whole(folder: Path) -> None:
    found = stimulus_set.read(folder)
    assert [image.ref for image in found.images] == ["image-0", "image-1"]
    assert (found.size.width, found.size.height) == (48, 48)
    assert len(list(stimulus_set.pictures(found.images))) == 2 * 7


def test_a_vetoed_image_is_left_out(folder: Path) -> None:
    changed(folder, lambda content: content["images"][0].update(vetoed="both crops show the same"))
    assert [image.ref for image in stimulus_set.read(folder).images] == ["image-1"]


def test_an_altered_picture_is_refused(folder: Path) -> None:
    path = next(folder.glob("*.png"))
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(InputError, match="is not the file the manifest describes"):
        stimulus_set.read(folder)


def test_pictures_of_two_sizes_are_refused(folder: Path, tmp_path: Path) -> None:
    other = drawn_stimuli.write(tmp_path / "other", 1, side=50)
    entry = json.loads((other / stimulus_set.MANIFEST).read_text())["images"][0]["picture"]
    (folder / entry["file"]).write_bytes((other / entry["file"]).read_bytes())
    changed(folder, lambda content: content["images"][0].update(picture=entry))
    with pytest.raises(InputError, match="not of one size"):
        stimulus_set.read(folder)


def test_a_file_outside_the_folder_is_refused(folder: Path) -> None:
    changed(folder, lambda content: content["images"][0]["picture"].update(file="../../etc/passwd"))
    with pytest.raises(InputError, match="lies outside"):
        stimulus_set.read(folder)


def test_a_picture_with_metadata_is_refused() -> None:
    with pytest.raises(InputError, match="carries a 'tEXt' record"):
        inspect(drawn_stimuli.png(1, extra=b"spade, predicted class"), "a.png")


@pytest.mark.parametrize("cut", [0, 4, 20, 60, -12])
def test_a_picture_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(InputError, match=r"^a\.png "):
        inspect(drawn_stimuli.png(1)[:cut], "a.png")


def test_the_store_gives_back_what_it_was_given_or_says_what_is_wrong(tmp_path: Path) -> None:
    store = PictureStore(tmp_path / "store")
    data = drawn_stimuli.png(3)
    name = store.add(data)
    assert store.read(name) == data
    assert store.seems_whole(name)
    (tmp_path / "store" / name[:2] / f"{name}.png").write_bytes(data[:-1])
    assert not store.seems_whole(name)
    with pytest.raises(PictureAltered, match="was altered"):
        store.read(name)
    with pytest.raises(PictureAltered, match="is missing"):
        store.read("0" * 64)


def test_padding_makes_lengths_equal_and_keeps_what_comes_first() -> None:
    assert padded(b"abc", 5) == b"abc\0\0"
    assert padded(b"abcdef", 5) == b"abcdef"
