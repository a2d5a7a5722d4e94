"""Every knob the paper leaves open or prints twice, under one name per reading."""

from dataclasses import asdict, dataclass
from typing import Literal, TypedDict

from .errors import InputError, nearest


class ObcOptions(TypedDict):
    """What `Protocol.obc_options` returns."""

    damping: float
    block: int | None
    dead_inputs: Literal["free", "zeroed", "ordinary"]
    absolute_damping_on_failure: float | None


class SparsegptOptions(TypedDict):
    """What `Protocol.sparsegpt_options` returns."""

    group: Literal["layer", "column"]
    block_size: int
    count_rule: Literal["exact", "published"]
    damping: float
    dead_inputs: Literal["free", "zeroed", "ordinary"]


@dataclass(frozen=True)
class Protocol:
    """How a sparse trace is computed; a plain value, hashable through `as_dict`.

    Attributes:
        name: its name in PROTOCOLS.
        obc_block: what OBC removes at a time. `unstructured`: one weight. `kernel`: for a convolution, kh*kw
            consecutive columns after its columns are put in (kh, kw, Cin) order, so a 3x3 block is nine neighbouring
            input channels at one tap; one weight for 1x1 and linear layers.
        sparsegpt_group: which weights compete in SparseGPT. `layer`: all. `column`: those of one input channel.
        count_rule: `exact`, ceil(n * ratio); `published`, the notebook's int(n * ratio) + 1 in SparseGPT (and the
            ceiling of the floating-point product in OBC).
        damping: share of the mean diagonal added to a Hessian's diagonal before SparseGPT.
        obc_damping: the same before OBC.
        absolute_damping_on_failure: added to the diagonal when OBC meets a singular Hessian; None raises the relative
            damping instead. Either is reported.
        dead_inputs: weights whose input was always zero, see `spade.solver.sparsegpt.factor`.
        batched_dead_inputs: the same in batched SparseGPT.
        batched_singular: a singular Hessian in batched SparseGPT is damped more, or replaced by the identity. Either
            is reported.
        gram_dtype: what the Gram matrix is rounded to before it is solved with.
        failed_layer: a layer whose solver fails ends the run (`raise`) or stays dense (`dense`), which is reported.
        augmentation: preset of `spade.augmentation`.
        n_augmentations: samples the Hessian is made from.
        prune_first_convolution: whether a ratio may apply to the first convolution; if not it stays dense.
        ratio_groups: what shares one tuned ratio: each layer, or all layers of a residual block.
        map_channels: how a saliency map loses its channels: `abs_sum` is |sum over channels|, `sum_abs` the sum of
            absolute values. The paper does not say.
    """

    name: str
    obc_block: Literal["unstructured", "kernel"]
    sparsegpt_group: Literal["layer", "column"]
    count_rule: Literal["exact", "published"]
    damping: float
    obc_damping: float
    absolute_damping_on_failure: float | None
    dead_inputs: Literal["free", "zeroed", "ordinary"]
    batched_dead_inputs: Literal["free", "zeroed", "ordinary"]
    batched_singular: Literal["damp", "identity"]
    gram_dtype: Literal["float64", "float32"]
    failed_layer: Literal["raise", "dense"]
    augmentation: str
    n_augmentations: int
    prune_first_convolution: bool
    ratio_groups: Literal["layer", "block"]
    map_channels: Literal["abs_sum", "sum_abs"]

    def as_dict(self) -> dict[str, str | float | int | bool | None]:
        """The fields by name, ready for JSON."""
        return asdict(self)

    def obc_options(self, kernel_size: int = 1) -> ObcOptions:
        """Keyword arguments of `spade.solver.obc.eliminate` for a layer with this many kernel taps (kh * kw).

        Where `block` is not None the caller passes weights and Hessian with their columns in (kh, kw, Cin) order.
        """
        return {
            "damping": self.obc_damping,
            "block": kernel_size if self.obc_block == "kernel" and kernel_size > 1 else None,
            "dead_inputs": self.dead_inputs,
            "absolute_damping_on_failure": self.absolute_damping_on_failure,
        }

    def sparsegpt_options(self, kernel_size: int = 1) -> SparsegptOptions:
        """Keyword arguments of `spade.solver.sparsegpt.prune` for a layer with this many kernel taps (kh * kw)."""
        return {
            "group": self.sparsegpt_group,
            "block_size": kernel_size,
            "count_rule": self.count_rule,
            "damping": self.damping,
            "dead_inputs": self.dead_inputs,
        }


PROTOCOLS: dict[str, Protocol] = {
    # Exact counts, layer-wide selection for both solvers, nothing silent.
    "ours": Protocol(
        name="ours",
        obc_block="unstructured",
        sparsegpt_group="layer",
        count_rule="exact",
        damping=0.01,
        obc_damping=0.01,
        absolute_damping_on_failure=None,
        dead_inputs="free",
        batched_dead_inputs="free",
        batched_singular="damp",
        gram_dtype="float64",
        failed_layer="raise",
        augmentation="mild",
        n_augmentations=256,
        prune_first_convolution=True,
        ratio_groups="layer",
        # As Captum's own pictures do (absolute value of the sum over channels).
        map_channels="abs_sum",
    ),
    # What the text says: equation 1 bounds the weights of a layer as a whole, 3.2 names the augmentations and G.2 how
    # many. It gives no damping: enough samples shall make the Hessian non-singular (3.2). SparseGPT's default is 0.01.
    "paper": Protocol(
        name="paper",
        obc_block="unstructured",
        sparsegpt_group="layer",
        count_rule="exact",
        damping=0.01,
        obc_damping=0.0,
        absolute_damping_on_failure=None,
        dead_inputs="free",
        batched_dead_inputs="free",
        batched_singular="damp",
        gram_dtype="float64",
        failed_layer="raise",
        augmentation="text",
        n_augmentations=10_240,
        prune_first_convolution=True,
        ratio_groups="layer",
        map_channels="sum_abs",
    ),
    # What the published notebook computes.
    "official": Protocol(
        name="official",
        obc_block="kernel",
        sparsegpt_group="column",
        count_rule="published",
        damping=0.01,
        obc_damping=0.0,
        absolute_damping_on_failure=1.0,
        dead_inputs="zeroed",
        batched_dead_inputs="ordinary",
        batched_singular="identity",
        gram_dtype="float32",
        failed_layer="dense",
        augmentation="notebook",
        n_augmentations=1_024,
        prune_first_convolution=False,
        ratio_groups="block",
        map_channels="sum_abs",
    ),
}


def protocol(name: str) -> Protocol:
    """The preset of that name.

    Raises:
        InputError: there is none; the sentence lists the names.
    """
    if name not in PROTOCOLS:
        raise InputError(f"Unknown protocol '{name}'. {nearest(name, PROTOCOLS)}")
    return PROTOCOLS[name]
