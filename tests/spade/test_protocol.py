import json
from dataclasses import FrozenInstanceError

import pytest
import torch

from spade.errors import InputError
from spade.protocol import PROTOCOLS, protocol
from spade.solver import obc, sparsegpt


def test_every_preset_is_listed_under_its_own_name() -> None:
    assert {name: preset.name for name, preset in PROTOCOLS.items()} == {name: name for name in PROTOCOLS}
    assert set(PROTOCOLS) == {"ours", "paper", "official"}


def test_every_preset_survives_json() -> None:
    for preset in PROTOCOLS.values():
        assert type(preset)(**json.loads(json.dumps(preset.as_dict()))) == preset


def test_no_two_presets_are_the_same_but_for_the_name() -> None:
    assert len({json.dumps(preset.as_dict() | {"name": ""}) for preset in PROTOCOLS.values()}) == len(PROTOCOLS)


def test_a_preset_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        PROTOCOLS["ours"].damping = 0.5  # type: ignore[misc]


def test_an_unknown_preset_is_answered_with_near_names() -> None:
    with pytest.raises(InputError, match="did you mean 'official'"):
        protocol("offical")


@pytest.mark.parametrize("name", PROTOCOLS)
@pytest.mark.parametrize("kernel_size", [1, 3])
def test_the_solvers_take_the_options_of_every_preset(name: str, kernel_size: int) -> None:
    weight = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
    H = torch.eye(6) + 0.1
    path = obc.eliminate(weight, H, **protocol(name).obc_options(kernel_size))
    assert path.solve(0.5, count_rule=protocol(name).count_rule).sparsity == 0.5
    pruned = sparsegpt.prune(weight, H, sparsity=0.5, **protocol(name).sparsegpt_options(kernel_size))
    # Published: int(4 * k * 0.5) + 1 in each of the 6 / k groups.
    extra = 6 // kernel_size if name == "official" else 0
    assert int((~pruned.kept).sum()) == 12 + extra


def test_only_the_published_protocol_prunes_convolutions_in_blocks() -> None:
    assert {name: preset.obc_options(9)["block"] for name, preset in PROTOCOLS.items()} == {
        "ours": None,
        "paper": None,
        "official": 9,
    }
    assert protocol("official").obc_options(1)["block"] is None
