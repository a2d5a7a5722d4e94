from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from spade.errors import InputError
from spade.photograph import read

RAMP = np.linspace(0, 255, 40 * 60 * 3).astype(np.uint8).reshape(40, 60, 3)


def _save(path: Path, picture: Image.Image, **options: Any) -> Path:
    picture.save(path, **options)
    return path


def test_a_photograph_is_the_resized_centre_in_zero_to_one(tmp_path: Path) -> None:
    photograph = read(_save(tmp_path / "a.png", Image.fromarray(RAMP)), resize=40, crop=40)
    # Shorter side 40 already: only the centre 40 of 60 columns is cut, from column 10 on.
    expected = torch.from_numpy(RAMP[:, 10:50].copy()).permute(2, 0, 1) / 255
    torch.testing.assert_close(photograph.image, expected)
    assert photograph.notes == ()


def test_the_shorter_side_is_resized(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.jpg", Image.fromarray(RAMP))
    assert read(path, resize=32, crop=24).image.shape == (3, 24, 24)


def test_greyscale_becomes_three_equal_channels_and_is_said(tmp_path: Path) -> None:
    photograph = read(_save(tmp_path / "grey.png", Image.fromarray(RAMP[..., 0])), resize=40, crop=40)
    assert torch.equal(photograph.image[0], photograph.image[2])
    assert photograph.notes == ("grey.png is greyscale; shown to the network as grey RGB.",)


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    deep = np.full((8, 8), 257 * 100, dtype=np.uint16)
    photograph = read(_save(tmp_path / "deep.png", Image.fromarray(deep)), resize=8, crop=8)
    assert photograph.image.unique().tolist() == pytest.approx([100 / 255])
    assert "16-bit" in photograph.notes[0]


def test_transparency_is_laid_on_white_and_is_said(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    photograph = read(_save(tmp_path / "clear.png", clear), resize=8, crop=8)
    assert photograph.image.min() == 1
    assert "laid on white" in photograph.notes[0]


def test_four_printing_colours_are_converted_and_it_is_said(tmp_path: Path) -> None:
    photograph = read(_save(tmp_path / "print.jpg", Image.new("CMYK", (8, 8))), resize=8, crop=8)
    assert photograph.image.shape == (3, 8, 8)
    assert "4 channels (CMYK)" in photograph.notes[0]


def test_the_colours_of_a_palette_are_those_of_the_picture(tmp_path: Path) -> None:
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 255, 0, 51])
    photograph = read(_save(tmp_path / "p.gif", palette), resize=8, crop=8)
    assert photograph.image[:, 0, 0].tolist() == pytest.approx([1, 0, 0.2])
    assert photograph.notes == ()


def test_a_picture_too_long_for_memory_once_resized_is_refused(tmp_path: Path) -> None:
    path = _save(tmp_path / "line.png", Image.new("RGB", (4000, 1)))
    with pytest.raises(InputError, match=r"4000 x 1 pixels; with a shorter side of 256 it would have 262 million"):
        read(path, resize=256, crop=224)
    assert read(path, resize=16, crop=16).image.shape == (3, 16, 16)


def test_pixels_without_a_known_range_are_refused(tmp_path: Path) -> None:
    path = _save(tmp_path / "float.tiff", Image.fromarray(np.ones((8, 8), dtype=np.float32)))
    with pytest.raises(InputError, match="range is not written down"):
        read(path, resize=8, crop=8)


def test_a_camera_turned_on_its_side_is_put_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by 90 degrees clockwise
    picture = np.zeros((20, 20, 3), dtype=np.uint8)
    picture[:, :4] = 255  # the left edge becomes the top edge
    path = _save(tmp_path / "turned.png", Image.fromarray(picture), exif=exif)
    image = read(path, resize=20, crop=20).image
    assert image[:, :4].min() == 1
    assert image[:, 4:].max() == 0


def test_a_file_that_is_no_picture_is_told_by_name(tmp_path: Path) -> None:
    path = tmp_path / "notes.jpg"
    path.write_text("not a picture")
    with pytest.raises(InputError, match=r"notes\.jpg is not a picture"):
        read(path, resize=8, crop=8)


@pytest.mark.parametrize("name", ["cut.jpg", "cut.png"])
def test_a_truncated_picture_is_told(tmp_path: Path, name: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = _save(tmp_path / name, Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="cannot be read to its end"):
        read(path, resize=8, crop=8)


@pytest.mark.parametrize("cut", [0, 3, 20])
def test_the_first_bytes_of_a_picture_are_no_picture(tmp_path: Path, cut: int) -> None:
    path = _save(tmp_path / "start.png", Image.fromarray(RAMP))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match=r"start\.png"):
        read(path, resize=8, crop=8)


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no picture at"):
        read(tmp_path / "absent.png", resize=8, crop=8)
    with pytest.raises(InputError, match="is a folder; name one picture"):
        read(tmp_path, resize=8, crop=8)


def test_a_crop_larger_than_the_picture_is_refused(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.png", Image.fromarray(RAMP))
    with pytest.raises(InputError, match="crop of 64"):
        read(path, resize=32, crop=64)
