"""What a report says of where its numbers come from: how golden ranges were measured, and how the run was made."""

import statistics
from collections.abc import Iterator, Mapping
from typing import Any

from ..golden import Golden
from ..records import RunRecords
from ..verdict import Judgement


def ranges(golden: Golden | None) -> dict[str, str]:
    """How the golden ranges were measured; empty where there are none."""
    if golden is None:
        return {}
    found = {
        "Seeds": f"{len(golden.seeds)}: {', '.join(map(str, golden.seeds))}",
        "Measured": f"{golden.first} to {golden.last}",
        "Arithmetic": f"torch {golden.condition.torch}, {golden.condition.threads} thread(s), {golden.condition.cpu}",
        "Level": f"each range holds one fresh seed with probability {golden.level:.6f}, all {len(golden.ranges)} "
        f"together with at least {1 - golden.family_alpha:.2f} (Bonferroni)",
        "Releases": ", ".join(f"{name} {release}" for name, release in golden.releases.items()),
        "Computed from": f"per-seed summaries, sha256 {golden.seeds_sha256}",
        "Policy": f"sha256 {golden.policy_sha256}",
    }
    for one in golden.arithmetic:
        found[f"Same seeds, {one.condition}"] = (
            f"seeds {', '.join(map(str, one.seeds))}: {one.values} values moved by {one.rms:.3f} (root mean square), "
            f"{one.largest:.3f} at most; {one.outside} outside their range"
        )
    if not golden.arithmetic:
        found["Other arithmetic"] = "not measured"
    for network, words in (("same", "the same network"), ("other", "a retrained network")):
        known = [one for one in golden.replays if one.network == network]
        if known:
            widest, typical = max(one.allowed for one in known), statistics.median(one.allowed for one in known)
            found[f"Replay of a seed, {words}"] = (
                f"{known[0].replays} replays ({'; '.join(known[0].environments)}): a cell may move by {typical:.3f} "
                f"(median over columns), {widest:.3f} at most; {sum(one.missed for one in known)} of "
                f"{sum(one.values for one in known)} moves fall outside what the other replays allow"
            )
        else:
            found[f"Replay of a seed, {words}"] = "too few replays were measured for a tolerance"
    for number, blessing in enumerate(golden.blessings, start=1):
        # Numbered, since ranges may be blessed more than once a day.
        found[f"Blessing {number}, {blessing.date}"] = (
            f"tables {', '.join(blessing.tables)}, release {blessing.release}: {blessing.reason}"
        )
    return found


def provenance(run: RunRecords, judgement: Judgement) -> dict[str, str]:
    """What a stranger needs to judge the run, or to make it again."""
    facts = run.provenance
    found = {"Scale and seed": f"{run.scale}, seed {run.seed}", "Network": f"recipe sha256 {run.recipe_sha256}"}
    found |= {f"Accuracy: {name.replace('_', ' ')}": f"{100 * value:.2f} %" for name, value in run.accuracy.items()}
    for i, one in enumerate(facts.get("invocations", ()), start=1):
        found[f"Command {i}"] = (
            f"{one.get('command')} ({one.get('started')}, {one.get('seconds')} s, {one.get('workers')} worker(s))"
        )
    apart = {"invocations", "releases", "policy_sha256", "prepared"}
    told = {key: _listed(value) for key, value in facts.items() if key not in apart and value is not None}
    found |= {key.replace("_", " ").capitalize(): text for key, text in told.items() if text}
    if prepared := facts.get("prepared"):
        found["Training took"] = ", ".join(f"{name or 'network'} {seconds} s" for name, seconds in prepared.items())
    found["Releases"] = ", ".join(f"{name} {release}" for name, release in facts.get("releases", {}).items())
    found |= {f"Protocol: {key}": value for key, value in _flat(run.protocol)}
    found["Policy"] = f"version {judgement.policy.version}, sha256 {judgement.policy.sha256}"
    if facts.get("policy_sha256") not in {None, judgement.policy.sha256}:
        found["Policy at the time of the run"] = f"sha256 {facts['policy_sha256']} (another one than judges here)"
    return found


def _listed(value: object) -> str:
    return ", ".join(f"{key} {one}" for key, one in value.items()) if isinstance(value, Mapping) else str(value)


def _flat(facts: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Every fact with its path, however deep it lies."""
    for key, value in facts.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}, ")
        else:
            yield f"{above}{key}".replace("_", " "), str(value)
