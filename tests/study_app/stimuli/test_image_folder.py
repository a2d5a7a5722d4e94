from pathlib import Path

import pytest

from spade.errors import InputError
from study_app.stimuli import class_names, image_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("cat/2.png", "cat/1.JPG", "cat/.hidden.png", "dog/3.webp", "dog/notes.txt", "empty/readme.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_images_come_with_their_classes_in_the_order_of_their_names(folder: Path) -> None:
    found = image_folder.read(folder, class_names.from_folders(["cat", "dog"], 2))
    assert [(image.ref, image.label) for image in found.images] == [
        ("cat/1.JPG", 0),
        ("cat/2.png", 0),
        ("dog/3.webp", 1),
    ]


def test_the_order_of_looking_depends_on_the_seed_and_nothing_else(folder: Path) -> None:
    found = image_folder.read(folder, class_names.from_folders(["cat", "dog"], 2))
    orders = [tuple(image.ref for image in found.shuffled(seed)) for seed in range(8)]
    assert tuple(image.ref for image in found.shuffled(3)) == orders[3]
    assert len(set(orders)) > 1
    assert {tuple(sorted(order)) for order in orders} == {("cat/1.JPG", "cat/2.png", "dog/3.webp")}


def test_another_selection_of_images_has_another_hash(folder: Path) -> None:
    names = class_names.from_folders(["cat", "dog"], 2)
    before = image_folder.read(folder, names).sha256()
    assert image_folder.read(folder, names).sha256() == before
    (folder / "cat" / "4.png").write_text("more")
    assert image_folder.read(folder, names).sha256() != before


def test_a_folder_without_class_folders_is_told_the_layout(folder: Path) -> None:
    with pytest.raises(InputError, match=r"no class folders with images: the layout is cat/CLASS/IMAGE.png"):
        image_folder.class_folders(folder / "cat")
    with pytest.raises(InputError, match="no folder of images"):
        image_folder.class_folders(folder / "nowhere")
