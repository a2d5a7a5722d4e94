"""What a researcher says against a sample: it leaves the study, and its reason stays in the manifest."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from spade.errors import InputError, nearest


def vetoed(
    content: Mapping[str, Any], samples: Sequence[str], *, reason: str, at: datetime, withdraw: bool = False
) -> dict[str, Any]:
    """The manifest with a veto, or the withdrawal of one, against each of these samples.

    A sample is named by its number on the contact sheet, from 1, or by its `ref`. Nothing is ever deleted: every veto
    and withdrawal is kept in `vetoes`, with its reason and time.

    Raises:
        InputError: no such sample, no reason, or the withdrawal of a veto that nobody made.
    """
    if not reason.strip():
        raise InputError("A veto needs a reason, which stays with the set: --reason 'both crops show the same'.")
    refs = [_ref(content, sample) for sample in dict.fromkeys(samples)]
    standing = {entry["ref"] for entry in content["images"] if entry.get("vetoed")}
    for ref in refs:
        if withdraw and ref not in standing:
            raise InputError(f"{ref} is not vetoed, so there is nothing to withdraw.")
    said = [
        {"ref": ref, "veto": not withdraw, "reason": reason.strip(), "at": at.isoformat(timespec="seconds")}
        for ref in dict.fromkeys(refs)
    ]
    return applied({**content, "vetoes": [*content.get("vetoes", []), *said]})


def applied(content: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with `vetoed` on the samples that its `vetoes` speak against, the last word on each."""
    last = {word["ref"]: word for word in content.get("vetoes", [])}
    images = []
    for entry in content["images"]:
        kept = {key: value for key, value in entry.items() if key != "vetoed"}
        word = last.get(entry["ref"])
        images.append(kept | {"vetoed": word["reason"]} if word and word["veto"] else kept)
    return {**content, "images": images}


def _ref(content: Mapping[str, Any], sample: str) -> str:
    refs: list[str] = [entry["ref"] for entry in content["images"]]
    if sample in refs:
        return sample
    if sample.isdecimal() and 1 <= int(sample) <= len(refs):
        return refs[int(sample) - 1]
    raise InputError(f"There is no sample '{sample}': samples are 1 to {len(refs)}. {nearest(sample, refs)[:300]}")
