import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from spade.errors import EnvironmentProblem, InputError
from spade.explanation import Explanation, Pair, Verdict
from spade.picture import Caption, check_destination, draw, save

CAPTION = Caption("photo.jpg · a_network", ("first fact", "second fact"), class_names=("fish", "goose", "fox"))


def _explanation(n: int) -> Explanation:
    maps = torch.arange(64.0).reshape(8, 8)
    pairs = [Pair(f"Method{i}", maps, maps.flip(0), "", 0.1) for i in range(n)]
    pairs[-1] = Pair("Impossible", None, None, "Impossible cannot take this network: it is a stone.", 0.0)
    return Explanation(
        image=torch.rand(3, 8, 8),
        target=1,
        dense=Verdict(1, 0.9, 0.9),
        sparse=Verdict(2, 0.6, 0.25),
        pairs=tuple(pairs),
        sparsity={"conv": 0.0, "fc": 0.8},
        fallbacks={},
        trace_seconds=1.0,
        map_seconds=2.0,
    )


def _texts(figure: Figure) -> str:
    figure.canvas.draw()
    return "\n".join(text.get_text() for text in figure.findobj(Text) if isinstance(text, Text))


def _panels(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.findobj(Axes) if isinstance(axes, Axes) and axes.get_images()]


@pytest.mark.parametrize("n", [1, 4, 5, 6, 10])
def test_every_method_is_drawn_twice_or_has_its_reason(n: int) -> None:
    figure = draw(_explanation(n), CAPTION)
    texts = _texts(figure)
    for i in range(n - 1):
        assert f"Method{i}" in texts
    assert texts.replace("\n", " ").count("it is a stone") == 2
    assert len(_panels(figure)) == 1 + 2 * (n - 1)


def test_the_picture_says_what_each_network_predicts() -> None:
    texts = _texts(draw(_explanation(2), CAPTION)).replace("\n", " ")
    assert "explained: class 1 (goose)" in texts
    assert "dense says 1 (goose) at 90%" in texts
    assert "SPADE says 2 (fox) at 60%" in texts
    assert "NOT kept" in texts
    assert "1 of 2 layers" in texts


def test_the_words_around_the_bars_stay_inside_a_narrow_picture_and_apart() -> None:
    layers = [f"features.{i}.conv.0.0" for i in range(35)]
    figure = draw(replace(_explanation(2), sparsity=dict.fromkeys([*layers, "classifier.1"], 0.5)), CAPTION)
    figure.canvas.draw()
    bars = next(axes for axes in figure.findobj(Axes) if isinstance(axes, Axes) and axes.patches)
    boxes = [text.get_window_extent() for text in [bars.title, *bars.get_xticklabels(which="both")]]
    assert len(boxes) == 4
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width for box in boxes)
    assert not any(boxes[i].overlaps(boxes[j]) for i in range(4) for j in range(i))


def test_a_dark_map_is_drawn_too() -> None:
    dark = replace(_explanation(2), pairs=(Pair("Dark", torch.zeros(8, 8), torch.zeros(8, 8), "", 0.0),))
    assert "Dark" in _texts(draw(dark, CAPTION))


def test_panels_are_turned_together() -> None:
    figure = draw(_explanation(2), replace(CAPTION, quarter_turns=2))
    drawn = np.asarray(_panels(figure)[1].get_images()[0].get_array())
    assert np.array_equal(drawn, np.arange(64.0).reshape(8, 8)[::-1, ::-1])


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_the_file_is_written_whole_and_nothing_is_left_beside_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    save(_explanation(3), CAPTION, path)
    assert list(tmp_path.iterdir()) == [path]
    if suffix == ".png":
        with Image.open(path) as picture:
            assert min(picture.size) > 300


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_is_told_and_leaves_an_older_picture_alone(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"older")
    (tmp_path / ".out.png.partial").symlink_to("/dev/full")
    with pytest.raises(EnvironmentProblem, match="No space left on device"):
        save(_explanation(2), CAPTION, path)
    assert path.read_bytes() == b"older"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_picture_that_its_folder_does_not_take_is_kept_among_the_temporary_files(
    tmp_path: Path, elsewhere: Path
) -> None:
    (tmp_path / ".out.png.partial").symlink_to("/dev/full")
    with pytest.raises(EnvironmentProblem, match=r"No space left on device\); it is in .*out\.png instead"):
        save(_explanation(2), CAPTION, tmp_path / "out.png")
    (kept,) = elsewhere.glob("*/out.png")
    with Image.open(kept) as picture:
        assert min(picture.size) > 300
    assert {path.name for path in tmp_path.iterdir()} == {elsewhere.name}


def test_a_picture_that_nothing_takes_leaves_nothing_behind(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "write_bytes", _refused)
    with pytest.raises(EnvironmentProblem, match=r"No space left on device\); make room or choose another place"):
        save(_explanation(2), CAPTION, tmp_path / "out.png")
    assert not list(elsewhere.iterdir())


def _refused(*_: object, **__: object) -> int:
    raise OSError(28, os.strerror(28))


def test_a_folder_that_takes_no_file_is_refused_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_destination(tmp_path / "out.png")
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(tempfile, "TemporaryFile", _refused)
    with pytest.raises(EnvironmentProblem, match=r"cannot be written to .*No space left on device.*--output"):
        check_destination(tmp_path / "out.png")


@pytest.mark.parametrize(
    ("name", "told"), [("out.bmpp", "must end in one of .png"), ("absent/out.png", "its folder must exist")]
)
def test_a_place_that_cannot_take_a_picture_is_refused_beforehand(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        check_destination(tmp_path / name)
