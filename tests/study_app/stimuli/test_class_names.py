import json
from pathlib import Path

import pytest

from spade.errors import InputError
from study_app.stimuli import class_names


def written(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("name", "content", "names"),
    [
        ("c.txt", "cat\ndog\n\n", ("cat", "dog")),
        ("c.json", ["cat", "dog"], ("cat", "dog")),
        ("c.json", {"1": "dog", "0": "cat"}, ("cat", "dog")),
        ("c.json", {"0": ["n01", "cat"], "1": ["n02", "dog"]}, ("cat", "dog")),
        ("c.json", {"dog": 1, "cat": 0}, ("cat", "dog")),
    ],
)
def test_every_usual_way_to_write_class_names_is_read(
    tmp_path: Path, name: str, content: object, names: tuple[str, ...]
) -> None:
    found = class_names.read(written(tmp_path, name, content), 2)
    assert found.names == names
    assert found.of_folder("dog") == 1


def test_a_folder_is_found_by_identifier_by_name_and_by_index(tmp_path: Path) -> None:
    found = class_names.read(written(tmp_path, "c.json", {"0": ["n01", "cat"], "1": ["n02", "dog"]}), 2)
    assert [found.of_folder(name) for name in ("n02", "dog", "0001")] == [1, 1, 1]


def test_a_name_made_of_digits_is_a_name_before_it_is_an_index() -> None:
    # Street numbers, say: the folder `1` is the class called 1, which comes first.
    assert class_names.from_folders(["a", "b"], 2).of_folder("1") == 1
    assert class_names._named([("1",), ("0",)]).of_folder("1") == 0


def test_of_two_classes_of_one_name_the_folder_is_the_first() -> None:
    found = class_names._named([("n1", "crane"), ("n2", "crane")])
    assert (found.of_folder("crane"), found.of_folder("n2")) == (0, 1)


def test_a_file_of_another_length_than_the_network_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"c.txt names 2 classes, but the network has 3 outputs"):
        class_names.read(written(tmp_path, "c.txt", "cat\ndog\n"), 3)


@pytest.mark.parametrize("content", ["{", "3", {"0": "cat", "7": "dog"}])
def test_a_file_that_names_no_classes_is_told(tmp_path: Path, content: object) -> None:
    with pytest.raises(InputError, match="cannot be read as class names"):
        class_names.read(written(tmp_path, "c.json", content), 2)


@pytest.mark.parametrize("folder", ["dgo", "2", "-1"])
def test_a_folder_that_is_no_class_is_answered_with_near_names(folder: str) -> None:
    with pytest.raises(
        InputError, match=rf"image folder '{folder}' is neither a class name nor an index below 2. .*dog"
    ):
        class_names.from_folders(["cat", "dog"], 2).of_folder(folder)


def test_without_a_file_folders_are_indices_or_one_a_class() -> None:
    assert class_names.from_folders(["0003", "0007"], 10).of_folder("0007") == 7
    assert class_names.from_folders(["dog", "cat"], 2).names == ("cat", "dog")
    with pytest.raises(InputError, match="2 image folders for a network with 3 outputs"):
        class_names.from_folders(["dog", "cat"], 3)


def test_a_torchvision_network_of_a_thousand_classes_has_the_names_of_imagenet() -> None:
    found = class_names.of_torchvision("mobilenet_v2", 1000)
    assert found is not None
    assert found.names[1] == "goldfish"
    assert class_names.of_torchvision("mobilenet_v2", 10) is None
    assert class_names.of_torchvision("network.py:build", 1000) is None
