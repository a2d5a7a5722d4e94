import pytest

from study_app.stimuli.production import Standing
from study_app.stimuli.progress import SECONDS_BETWEEN, Bars


def test_without_a_terminal_a_sample_found_is_told_at_once_and_rejected_ones_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = [0.0]
    with Bars(clock=lambda: now[0]) as bars:
        for seconds, found, rejected in (
            (0, 0, 0),
            (1, 0, 1),
            (SECONDS_BETWEEN, 0, 2),
            (SECONDS_BETWEEN + 1, 0, 3),
            (SECONDS_BETWEEN + 2, 1, 3),
            (3 * SECONDS_BETWEEN, 1, 3),
            (3 * SECONDS_BETWEEN + 1, 1, 4),
        ):
            now[0] = seconds
            bars.standing(Standing(found, 2, rejected, looked_at=9, images=9))
    assert capsys.readouterr().err.splitlines() == [
        "0 of 2 samples found, 0 rejected",
        "0 of 2 samples found, 2 rejected",
        "1 of 2 samples found, 3 rejected",
        "1 of 2 samples found, 4 rejected",
    ]
