"""The report as Markdown, for a terminal, a pull request or a paper's supplement."""

import math
from collections.abc import Iterable, Mapping, Sequence

from ..cells import decimals
from ..claims.evidence import Evidence
from .claim_content import ClaimsContent
from .claims_page import evidence
from .content import OTHER_DATA, Content
from .direction_content import DirectionEntry
from .gallery import Gallery, MapEntry
from .notation import amounts, chance, number, share, signed
from .table_content import CellEntry, EffectEntry, RankingEntry, TableEntry


def render(content: Content) -> str:
    """The report as Markdown text."""
    parts = [
        f"# SPADE, rerun: scale {content.scale}, seed {content.seed}",
        f"{content.headline} {content.summary}",
        "## Verdicts",
        _table(["Verdict", "Cells"], ([outcome, str(count)] for outcome, count in content.counts.items())),
        "## What was not run or not compared, and why",
        _not_run(content),
        "## The paper's directions, over seeds",
        f"The paper's differences: {OTHER_DATA}.",
        _directions(content.directions),
        "## The paper's claims",
        f"{content.claims.headline} {content.claims.audit_headline}",
        *_claims(content.claims),
        *(part for table in content.tables for part in _of_table(table)),
        "## Best and worst samples",
        *_samples(content.gallery),
        "## How the golden ranges were measured",
        _facts(content.ranges) if content.ranges else "No golden ranges were measured for this scale.",
        "## Units",
        _units(content),
        _problems(content),
        "## Provenance",
        _facts(content.provenance),
    ]
    return "\n\n".join(parts) + "\n"


def _not_run(content: Content) -> str:
    if not content.not_run:
        return "Every cell of the asked tables was run and compared."
    lines = [
        f"- **{entry.outcome}**: {_safe('; '.join(entry.where))} ({entry.cells} cells): {_safe(entry.reason)}."
        for entry in content.not_run
    ]
    return "\n".join(lines)


def _directions(directions: Iterable[DirectionEntry]) -> str:
    rows = []
    for one in directions:
        places = decimals(one.unit)
        seeds = f"{signed(one.mean, places)} {_interval(one.low, one.high, places)}, {one.n} seeds" if one.n else "—"
        removed = f"; {share(one.error_removed)} of the dense error" if math.isfinite(one.error_removed) else ""
        here = (
            f"{signed(one.here.mean, places)} {_interval(one.here.low, one.here.high, places)}, n = {one.here.n}"
            if one.here
            else "—"
        )
        why = f"p (Holm) {chance(one.adjusted_p)}; {one.reason}" if math.isfinite(one.adjusted_p) else one.reason
        name = f"{one.sentence} (Table {one.table}: {one.high_column} - {one.low_column})"
        rows.append([name, one.paper, seeds + removed, f"**{one.outcome}**: {why}", here])
    return _table(["Direction", "Paper", "Over seeds", "Verdict", "This run"], rows)


def _claims(claims: ClaimsContent) -> list[str]:
    wrong = [[one.what, one.place, one.printed, one.recomputed, one.off, one.note] for one in claims.findings]
    rows = [
        [
            one.id,
            f"{one.quote} ({one.place})",
            f"{one.stated}; {one.recomputed}" if one.expression else "—",
            one.arithmetic,
            f"**{one.standing}**" + (f": {one.why}" if one.why else ""),
            _evidence(one.seeds),
            _evidence(one.here),
        ]
        for one in claims.entries
    ]
    header = ["Claim", "Quote", "Stated; recomputed", "On the paper's numbers", "Our records", "Seeds", "This run"]
    return [
        "### What does not hold on the paper's own numbers",
        _table(["Finding", "Where", "Printed", "Recomputed", "Off by", "Why"], wrong),
        "### Every claim",
        _table(header, rows),
    ]


def _evidence(entry: Evidence | None) -> str:
    return evidence(entry) if entry else "—"


def _of_table(table: TableEntry) -> list[str]:
    paper = f"Paper: {table.setting}{f', n = {table.n_paper}' if table.n_paper else ''}; {OTHER_DATA}."
    rows = [[entry.row, entry.column, *_cell(entry)] for row in table.rows for entry in row]
    rows += [[entry.row, entry.column, *_cell(entry)] for entry in table.controls]
    parts = [
        f"## Table {table.id}: {table.title}",
        f"{_safe(table.quote)} ({table.place}) {_safe(table.note)}".strip(),
        paper,
        _table(["Row", "Column", "Paper", "Ours, interval, n", "Golden range", "Verdict"], rows),
    ]
    if table.effects:
        gains = [effect for column in table.effects for effect in column]
        places = decimals(table.unit)
        parts += [f"### Gain over {table.baselines}, {amounts(table.unit)}", _effects(gains, places)]
        parts += table.counts
    parts += map(_ranking, table.rankings)
    return parts


def _ranking(ranking: RankingEntry) -> str:
    named = [f"{name} {number(rank)}" for name, rank in zip(ranking.names, ranking.ranks, strict=True)]
    groups = ["; ".join(ranking.names[first : last + 1]) for first, last in ranking.groups]
    alike = f" Not told apart (Wilcoxon, Holm): {' / '.join(groups)}." if groups else " All are told apart."
    return (
        f"Mean ranks of {ranking.what} over {ranking.images} images: {', '.join(named)}. Friedman p "
        f"{chance(ranking.p_value)}, Nemenyi's critical difference {number(ranking.critical_difference)}.{alike}"
    )


def _cell(entry: CellEntry) -> list[str]:
    places = decimals(entry.unit)
    ours = f"{number(entry.mean, places)} {_interval(entry.low, entry.high, places)}, n = {entry.n}" if entry.n else "—"
    known = math.isfinite(entry.golden_low)
    golden = f"{number(entry.golden_low, places)} to {number(entry.golden_high, places)}" if known else "—"
    why = f": {entry.reason}" if entry.reason else ""
    return [entry.paper or "—", ours, golden, f"**{entry.outcome}**{why}"]


def _effects(effects: Sequence[EffectEntry], places: int) -> str:
    rows = [
        [
            one.row,
            f"{one.column} (lower is better)" if one.lower_is_better else one.column,
            f"{signed(one.mean, places)} {_interval(one.low, one.high, places)}, n = {one.n}",
            share(one.improved),
            chance(one.adjusted_p),
            "yes" if one.resolved else "no",
        ]
        for one in effects
    ]
    return _table(["Row", "Column", "Gain", "Images improved", "p (Holm)", "Resolved in this run"], rows)


def _samples(gallery: Gallery) -> list[str]:
    parts, places = [gallery.note] if gallery.note else [], decimals(gallery.unit)
    points = " points" if gallery.unit == "%" else ""
    for sample in gallery.samples:
        parts.append(f"### {sample.end.capitalize()}: {_safe(sample.id)}, {signed(sample.gain, places)}{points}")
        parts.append(
            f"Patch {_safe(sample.patch)}, class {sample.label} taken for class {sample.target}. "
            f"{_picture('image', sample.image)} {_picture('patch', sample.mask)}"
        )
        header = ["Method", *(one.column for one in sample.maps[0])]
        parts.append(
            _table(header, ([maps[0].method, *(_map(one, places - 1) for one in maps)] for maps in sample.maps))
        )
    return parts


def _map(entry: MapEntry, places: int) -> str:
    return f"{number(entry.value, places)} {_picture(f'{entry.column}, {entry.method}', entry.picture)}".strip()


def _picture(words: str, path: str) -> str:
    return f"![{_safe(words)}]({path})" if path else ""


def _units(content: Content) -> str:
    rows = [
        [
            arm.arm,
            str(arm.units),
            str(arm.without_value),
            share(arm.kept),
            number(arm.seconds, 0),
            str(arm.fallbacks),
            str(arm.dead_columns),
        ]
        for arm in content.arms
    ]
    header = ["Arm", "Units", "Without a value", "Prediction kept", "Seconds", "Solver fell back", "Dead inputs"]
    return _table(header, rows)


def _problems(content: Content) -> str:
    if not content.problems:
        return "Every computed unit has a value."
    lines = [
        f"- **{one.units} {one.status}**, {one.arm}, {one.method}: {_safe(one.reason)}" for one in content.problems
    ]
    return "\n".join(lines)


def _facts(facts: Mapping[str, str]) -> str:
    return _table(["What", "Value"], ([name, value] for name, value in facts.items()))


def _interval(low: float, high: float, places: int) -> str:
    return f"[{number(low, places)}, {number(high, places)}]" if math.isfinite(low) else "[no interval]"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(_safe(text) for text in line)} |" for line in lines)


def _safe(text: str) -> str:
    """Text that stays one cell: a bar or a line break would end it, a tag would be read as HTML."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
