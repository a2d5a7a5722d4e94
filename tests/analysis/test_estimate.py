import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from analysis.estimate import Estimate, as_tree


@dataclass(frozen=True)
class Nested:
    inner: Estimate
    pairs: tuple[tuple[float, float], ...]
    names: dict[str, object]


def test_what_is_not_a_number_becomes_null_and_an_endless_interval_a_word() -> None:
    one = Estimate("a", "odds ratio", "agree", value=2.0, high=math.inf, low=-math.inf)
    tree = as_tree(
        Nested(one, ((1.0, math.nan),), {"path": Path("x"), "array": np.array([1.0, np.nan]), "n": np.int64(3)})
    )
    assert json.loads(json.dumps(tree, allow_nan=False)) == tree
    assert (tree["inner"]["high"], tree["inner"]["low"], tree["inner"]["p_value"]) == ("inf", "-inf", None)
    assert tree["pairs"] == [[1.0, None]]
    assert tree["names"] == {"path": "x", "array": [1.0, None], "n": 3}


def test_an_estimate_with_a_reason_is_not_available() -> None:
    assert Estimate("a", "b", "c", value=0.0).available
    assert not Estimate("a", "b", "c", reason="One rater.").available


def test_what_has_no_form_in_json_is_named() -> None:
    with pytest.raises(TypeError, match="set has no form"):
        as_tree({1, 2})
