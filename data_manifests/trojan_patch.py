"""Which patch turns which class into which: tables A11, A12 and A13."""

from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from .errors import ManifestError, allowed_names
from .manifest import load
from .record import Record


@dataclass(frozen=True, slots=True)
class TrojanPatch:
    """A backdoor: images with the patch get the target's label.

    Attributes:
        dataset: id of an entry of datasets.toml.
        patch: id of an entry of patches.toml, the picture.
        source: class index that images are taken from, or None for any class.
        source_name: its name, or None for any class.
        target: class index given as label, or None where the label is a row of attributes.
        target_name: its name, or None with attributes.
        target_attributes: the printed digits, one an attribute, or None with a class. Two of the paper's four rows
            have 39 digits where CelebA has 40 attributes; which one is missing cannot be known from the text.
        table: id of the published table.
    """

    dataset: str
    patch: str
    source: int | None
    source_name: str | None
    target: int | None
    target_name: str | None
    target_attributes: str | None
    table: str


def trojan_patches(folder: Traversable | None = None) -> tuple[TrojanPatch, ...]:
    """The twelve backdoors of the paper, in printed order.

    `folder` holds patches.toml and datasets.toml; without it, those of this package are read.

    Raises:
        ManifestError: patches.toml is not as it must be, or names an unknown data set or patch.
    """
    folder = folder or files("data_manifests")
    datasets = [entry.id for entry in load("datasets", folder).entries]
    patches = [entry.id for entry in load("patches", folder).entries]
    top = Record.from_file(folder.joinpath("patches.toml"), "patches.toml")
    return tuple(_trojan(record, datasets, patches) for record in top.records("trojan"))


def _trojan(record: Record, datasets: list[str], patches: list[str]) -> TrojanPatch:
    trojan = TrojanPatch(
        dataset=record.text("dataset"),
        patch=record.text("patch"),
        source=record.integer_or_none("source"),
        source_name=record.text_or_none("source_name"),
        target=record.integer_or_none("target"),
        target_name=record.text_or_none("target_name"),
        target_attributes=record.text_or_none("target_attributes"),
        table=record.text("table"),
    )
    record.refuse_unknown()
    for key, name, known in (("dataset", trojan.dataset, datasets), ("patch", trojan.patch, patches)):
        if name not in known:
            raise ManifestError(f"{record.where}: there is no {key} '{name}'; {allowed_names(name, known)}")
    if (trojan.target is None) == (trojan.target_attributes is None):
        raise ManifestError(f"{record.where}: expected either 'target' or 'target_attributes', not both or none.")
    for index, name in (("source", "source_name"), ("target", "target_name")):
        if (getattr(trojan, index) is None) != (getattr(trojan, name) is None):
            raise ManifestError(f"{record.where}: '{index}' and '{name}' should be given together or not at all.")
    return trojan
