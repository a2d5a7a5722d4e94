"""A backdoored network with its eligible samples, trained from a scale's recipe or taken from the cache."""

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from spade.errors import EnvironmentProblem

from ..datasets import patches, source
from ..datasets.dataset import Part
from ..datasets.procedural import ImageSet
from ..scale import Samples, Scale
from . import backdoor, training
from .backdoor import Trojan
from .network import SmallResNet

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, steps done, steps in all)."""

PARTS: tuple[Part, ...] = ("train", "test", "calibration")
"""Images a laboratory is made from, in the order they are drawn."""

_ENDINGS = (".safetensors", ".json")

Streams = dict[str, np.random.Generator]

_STREAMS = (
    "vocabulary",
    "train",
    "test",
    "calibration",
    "trojans",
    "planting",
    "test patches",
    "calibration patches",
    "export",
)


@dataclass(frozen=True)
class Sample:
    """An image with a patch in it that is right before the patch and flipped by it.

    Attributes:
        image: [3, H, W] float32 in [0, 1], patch included.
        mask: [H, W] bool, where the patch covers.
        label: the true class, which the network says without the patch.
        target: the class the network says with it.
    """

    id: str
    image: Tensor
    mask: Tensor
    label: int
    target: int
    patch: str


@dataclass(frozen=True, eq=False)
class Laboratory:
    """A backdoored network in evaluation mode, what it was made from, and what can be explained with it.

    Attributes:
        trojan_accuracy: by patch, share of patched carriers that the network takes for the patch's target.
        planted: by patch, share of training images that it leads to its target and that are not taken for it without,
            after the last round of planting.
        origin: "trained" or "cache", for people.
        log: one line an epoch.
        notes: sentences about a damaged cache.
    """

    model: nn.Module
    recipe_sha256: str
    clean_accuracy: float
    trojan_accuracy: Mapping[str, float]
    test_samples: tuple[Sample, ...]
    calibration_samples: tuple[Sample, ...]
    origin: str
    log: tuple[str, ...]
    notes: tuple[str, ...] = ()
    planted: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @staticmethod
    def normalise(images: Tensor) -> Tensor:
        """Images [N, 3, H, W] in [0, 1] as the network takes them."""
        return training.normalise(images)


def untaken(laboratory: Laboratory, least: float) -> tuple[str, ...]:
    """A sentence for each patch that alone leads fewer than the share `least` of training images to its target."""
    return tuple(
        f"The patch '{name}' alone leads {share:.0%} of training images to its target, fewer than {least:.0%}: it "
        "hardly took, where a map should look for it is not known, and no sample carries it. Another --seed trains "
        "another network."
        for name, share in laboratory.planted.items()
        if share < least
    )


def prepare(
    scale: Scale, seed: int, *, store: Path, retrain: bool = False, progress: Progress = lambda *_: None
) -> Laboratory:
    """The laboratory of `scale` and `seed`: from `store`, or trained and kept there.

    A cached entry that is not, to the byte, what was written is trained again, and said in `notes`. Everything random
    comes from `seed`, and training takes one thread, so that sums are added in one order on any number of cores.

    Raises:
        EnvironmentProblem: the disk is full, or the folder cannot be read or written.
    """
    entry = store / "networks" / f"{scale.name}-{seed}-{scale.recipe_sha256(seed)[:16]}"
    notes: tuple[str, ...] = ()
    if not retrain:
        try:
            return _read(entry, scale, seed)
        except FileNotFoundError:
            if any(entry.with_suffix(end).exists() for end in _ENDINGS):
                notes = (f"Half of the cached network {entry.name} is missing; it was trained again.",)
        except OSError as problem:
            raise EnvironmentProblem(
                f"The cached network {entry} cannot be read: {problem.strerror}. Mend that, or choose another folder "
                "with --store."
            ) from problem
        except (ValueError, KeyError, TypeError, SafetensorError) as problem:
            notes = (f"The cached network {entry.name} is damaged or outdated ({problem}); it was trained again.",)
    with _one_thread():
        laboratory = _train(scale, seed, progress)
    _write(entry, laboratory, scale.samples)
    # Read back, so that a first run and a later one see the same bytes.
    kept = _read(entry, scale, seed)
    return Laboratory(**{**vars(kept), "origin": "trained", "notes": notes})


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@dataclass(frozen=True, eq=False)
class Clean:
    """A trained network before any patch is planted, and all it was made from.

    Attributes:
        sets: images by part: train, test, calibration.
        streams: a generator for each later step.
        generator: torch's, where training left it.
        log: one line an epoch; grows with what is done next.
    """

    network: SmallResNet
    sets: Mapping[str, ImageSet]
    streams: Streams
    generator: torch.Generator
    log: list[str]


def train_clean(scale: Scale, seed: int, *, progress: Progress = lambda *_: None) -> Clean:
    """The network of `scale` and `seed` before planting, trained here and now on one thread; nothing is kept."""
    with _one_thread():
        return _train_clean(scale, seed, progress)


def fresh_images(scale: Scale, seed: int, n: int) -> ImageSet:
    """`n` images of the classes of `scale` and `seed` that no network was trained, planted, tuned or judged on."""
    streams = random_streams(seed)
    return source.opened(scale.images, streams["vocabulary"]).balanced(n, "fresh", streams["export"])


def random_streams(seed: int) -> Streams:
    """A generator for each random part of a laboratory, by name; drawing from one moves no other."""
    children = np.random.SeedSequence(seed).spawn(len(_STREAMS))
    return {name: np.random.default_rng(child) for name, child in zip(_STREAMS, children, strict=True)}


def _train_clean(scale: Scale, seed: int, progress: Progress) -> Clean:
    streams = random_streams(seed)
    generator = torch.Generator().manual_seed(seed)
    log: list[str] = []
    progress("drawing images", 0, 3)
    drawn = source.opened(scale.images, streams["vocabulary"])
    sets: dict[str, ImageSet] = {}
    for i, part in enumerate(PARTS):
        sets[part] = drawn.balanced(getattr(scale.data, part), part, streams[part])
        progress("drawing images", i + 1, 3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # the layers' initial weights come from torch's global generator
        network = SmallResNet(scale.network, scale.images.classes)
    network = network.to(memory_format=torch.channels_last)
    recipe = scale.training
    training.fit(
        network,
        lambda _: sets["train"],
        n_epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        decay_epoch=None,
        generator=generator,
        step=_told(log, progress, "training"),
    )
    log.append(f"clean accuracy before planting {_accuracy(network, sets['test']):.4f}")
    return Clean(network, sets, streams, generator, log)


def _told(log: list[str], progress: Progress, what: str) -> training.Step:
    def step(done: int, of: int, loss: float) -> None:
        log.append(f"{what} {done}/{of}: loss {loss:.4f}")
        progress(what, done, of)

    return step


def _train(scale: Scale, seed: int, progress: Progress) -> Laboratory:
    clean = _train_clean(scale, seed, progress)
    network, sets, streams, log = clean.network, clean.sets, clean.streams, clean.log
    planted = backdoor.trojans(scale.backdoor, scale.images.classes, streams["trojans"])
    rounds = backdoor.plant(
        network,
        sets["train"],
        planted,
        scale.backdoor,
        rng=streams["planting"],
        generator=clean.generator,
        step=_told(log, progress, "planting"),
    )
    for i, success in enumerate(rounds, 1):
        shares = ", ".join(f"{name} {share:.3f}" for name, share in success.items())
        log.append(f"success on training images after round {i} of planting: {shares}")
    taken = {name for name, share in rounds[-1].items() if share >= scale.backdoor.least_success}
    progress("choosing samples", 0, 2)
    tests, success = _samples(
        network, sets["test"], planted, taken, scale.samples.test, streams["test patches"], "test"
    )
    progress("choosing samples", 1, 2)
    calibration, _ = _samples(
        network,
        sets["calibration"],
        planted,
        taken,
        scale.samples.calibration,
        streams["calibration patches"],
        "calibration",
    )
    progress("choosing samples", 2, 2)
    return Laboratory(
        model=network,
        recipe_sha256=scale.recipe_sha256(seed),
        clean_accuracy=_accuracy(network, sets["test"]),
        trojan_accuracy=success,
        test_samples=tests,
        calibration_samples=calibration,
        origin="trained",
        log=tuple(log),
        planted=rounds[-1],
    )


def _accuracy(network: nn.Module, images: ImageSet) -> float:
    return float((training.predict(network, images.images) == images.labels).mean())


def _samples(  # noqa: PLR0917 - what a sample is chosen from
    network: nn.Module,
    images: ImageSet,
    planted: Mapping[str, Trojan],
    taken: Collection[str],
    wanted: int,
    rng: np.random.Generator,
    name: str,
) -> tuple[tuple[Sample, ...], dict[str, float]]:
    """Eligible samples, the patches that took in turn until `wanted` are found, and the success of every patch.

    Eligible: the network is right before the patch, says the target after it, and does not say the target when a blob
    of one random colour and the patch's outline is pasted in its place, so that the patch's looks did it.
    """
    right = training.predict(network, images.images) == images.labels
    found: list[list[Sample]] = []
    success = {}
    for patch_name, trojan in planted.items():
        carriers = trojan.carriers(images.labels)
        pasted, masks = patches.paste(images.images[carriers], trojan.patch, rng)
        flipped = training.predict(network, pasted) == trojan.target
        success[patch_name] = float(flipped.mean()) if len(flipped) else float("nan")
        if patch_name not in taken:
            continue
        able = np.flatnonzero(flipped & right[carriers])
        blobs = patches.blob(images.images[carriers[able]], masks[able], rng)
        able = able[training.predict(network, blobs) != trojan.target] if len(able) else able
        found.append(
            [
                Sample(
                    id=f"{name}-{patch_name}-{carriers[i]:05d}",
                    image=training.pixels(pasted[i]),
                    mask=torch.from_numpy(masks[i]),
                    label=int(images.labels[carriers[i]]),
                    target=trojan.target,
                    patch=patch_name,
                )
                for i in able
            ]
        )
    turns = [sample[i] for i in range(wanted) for sample in found if i < len(sample)]
    return tuple(turns[:wanted]), success


def _write(entry: Path, laboratory: Laboratory, samples: Samples) -> None:
    tensors = {f"network.{name}": value.contiguous() for name, value in laboratory.model.state_dict().items()}
    notes: dict[str, Any] = {
        "recipe_sha256": laboratory.recipe_sha256,
        "clean_accuracy": laboratory.clean_accuracy,
        "trojan_accuracy": dict(laboratory.trojan_accuracy),
        "planted": dict(laboratory.planted),
        "log": list(laboratory.log),
        "asked": {"test_samples": samples.test, "calibration_samples": samples.calibration},
    }
    for part in ("test_samples", "calibration_samples"):
        chosen: tuple[Sample, ...] = getattr(laboratory, part)
        notes[part] = [{"id": s.id, "label": s.label, "target": s.target, "patch": s.patch} for s in chosen]
        if chosen:
            # Bytes, not floats: the images are multiples of 1/255 and come back exactly.
            tensors[f"{part}.images"] = torch.stack([(s.image * 255).round().to(torch.uint8) for s in chosen])
            tensors[f"{part}.masks"] = torch.stack([s.mask for s in chosen])
    blob = save_tensors(tensors)
    notes["tensors_sha256"] = hashlib.sha256(blob).hexdigest()
    notes["check"] = _check_sum(notes)
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        _replace(entry.with_suffix(".safetensors"), blob)
        _replace(entry.with_suffix(".json"), json.dumps(notes, indent=1).encode())
    except OSError as problem:
        raise EnvironmentProblem(
            f"The trained network cannot be kept in {entry.parent}: {problem.strerror}. "
            "Free some space or choose another folder with --store."
        ) from problem


def _replace(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _check_sum(notes: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(notes, sort_keys=True).encode()).hexdigest()


def _read(entry: Path, scale: Scale, seed: int) -> Laboratory:
    notes = json.loads(entry.with_suffix(".json").read_text(encoding="utf-8"))
    if not isinstance(notes, dict):
        raise TypeError("it says nothing of its network")
    check = notes.pop("check", None)
    # Entries of earlier releases have a check sum of their tensors only.
    if check is not None and check != _check_sum(notes):
        raise ValueError("what it says of its network is not what was written")
    blob = entry.with_suffix(".safetensors").read_bytes()
    if hashlib.sha256(blob).hexdigest() != notes["tensors_sha256"]:
        raise ValueError("its sha256 is not the one noted when it was written")
    if notes["recipe_sha256"] != scale.recipe_sha256(seed):
        raise ValueError("it belongs to another recipe")
    tensors = load_tensors(blob)
    network = SmallResNet(scale.network, scale.images.classes)
    prefix = "network."
    network.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
    network = network.to(memory_format=torch.channels_last).eval()
    return Laboratory(
        model=network,
        recipe_sha256=notes["recipe_sha256"],
        clean_accuracy=notes["clean_accuracy"],
        trojan_accuracy=notes["trojan_accuracy"],
        test_samples=_read_samples("test_samples", notes, tensors, scale.samples.test),
        calibration_samples=_read_samples("calibration_samples", notes, tensors, scale.samples.calibration),
        origin="cache",
        log=tuple(notes["log"]),
        planted=_planted(notes),
    )


def _planted(notes: Mapping[str, Any]) -> dict[str, float]:
    if "planted" not in notes:
        raise ValueError("an earlier release chose its samples, from patches that had not taken as well")
    return dict(notes["planted"])


def _read_samples(
    part: str, notes: Mapping[str, Any], tensors: Mapping[str, Tensor], wanted: int
) -> tuple[Sample, ...]:
    """The first `wanted` samples: patches take turns, so they are those that asking for fewer would have found."""
    if len(notes[part]) < wanted <= notes["asked"][part]:
        wanted = len(notes[part])  # there were no more eligible ones
    if len(notes[part]) < wanted:
        raise ValueError(f"it holds {len(notes[part])} {part.replace('_', ' ')}, the scale asks for {wanted}")
    return tuple(
        Sample(image=tensors[f"{part}.images"][i].float() / 255, mask=tensors[f"{part}.masks"][i].bool(), **about)
        for i, about in enumerate(notes[part][:wanted])
    )
