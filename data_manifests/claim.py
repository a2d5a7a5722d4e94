"""The paper's sentences about its results, each as an expression over printed cells or with a reason why it is none.

`claims.toml` lists them; `load()` reads it and refuses what is misspelt or names a cell the paper does not print.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal, cast, get_args

from .errors import ManifestError, UnknownNameError, allowed_names
from .expression import Expression, parse
from .published import PublishedNumber
from .record import Record

Kind = Literal["count", "sign", "effect", "rank", "value"]
"""What a sentence states: of how many methods, a difference's sign, its size, an order, or the number of one arm."""

Relation = Literal["is", "above", "below", "at least", "at most"]
"""How the expression stands to the number the words give; "is" means equal as far as the printed digits go."""

GAP = " […] "
"""Stands in a quote where a page of the paper ends inside the words."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of the paper.

    Attributes:
        id: its name in commands and reports.
        quote: the paper's words, emphasis left out; GAP where a page ends inside them.
        place: where they stand.
        expression: what it says of printed cells; None where nothing printed can decide it, and `reason` says why.
        relation: how the expression stands to `states`.
        states: the number the words give; 0 for a sign or rank that gives none; None without an expression.
        direction: what other data are asked, "is it above 0?"; None where the expression itself is.
        on: network and data the paper measured it on; "" without an expression.
        note: how vague words were read, or "".
        reason: why there is no expression, or "".
    """

    id: str
    quote: str
    place: str
    kind: Kind
    expression: Expression | None
    relation: Relation
    states: PublishedNumber | None
    direction: Expression | None
    on: str
    note: str
    reason: str

    @property
    def fragments(self) -> tuple[str, ...]:
        """The quote in the pieces that stand in the paper one after the other."""
        return tuple(self.quote.split(GAP))


@dataclass(frozen=True, slots=True)
class Aside:
    """Sentences that a search for numbers and comparisons finds and that state no result, with the reason."""

    reason: str
    quotes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claims:
    """Every claim in the paper's order, and what was left out on purpose."""

    claims: tuple[Claim, ...]
    asides: tuple[Aside, ...]

    def claim(self, name: str) -> Claim:
        """The claim with this id.

        Raises:
            UnknownNameError: there is none; near names are told.
        """
        by_id = {claim.id: claim for claim in self.claims}
        if name not in by_id:
            raise UnknownNameError(f"There is no claim '{name}'; {_near(name, by_id)}")
        return by_id[name]


@cache
def load() -> Claims:
    """The claims of this package.

    Raises:
        ManifestError: claims.toml is not as it must be, or a claim names what the paper does not print.
    """
    return read(files("data_manifests").joinpath("claims.toml"))


def read(path: Traversable) -> Claims:
    """The claims in a TOML file.

    Raises:
        ManifestError: the file is not as it must be; the sentence names the claim, what is wrong, and near names.
    """
    top = Record.from_file(path, path.name)
    claims = tuple(map(_claim, top.records("claim")))
    asides = []
    for record in top.records("aside"):
        asides.append(Aside(record.text("reason"), record.texts("quotes")))
        record.refuse_unknown()
    top.refuse_unknown()
    ids = [claim.id for claim in claims]
    for name in ids:
        if ids.count(name) > 1:
            raise ManifestError(f"{path.name}: two claims have the id '{name}'.")
    return Claims(claims, tuple(asides))


def _claim(record: Record) -> Claim:
    name = record.text("id")
    record.where = f"{record.where.partition(',')[0]}, claim '{name}'"
    written, reason = record.text_or_none("expression"), record.text_or_none("reason")
    if (written is None) == (reason is None):
        raise ManifestError(f"{record.where} needs either an expression or a reason why it has none.")
    kind = cast("Kind", _choice(record, "kind", get_args(Kind)))
    relation, states = _stated(record, kind)
    claim = Claim(
        id=name,
        quote=record.text("quote"),
        place=record.text("place"),
        kind=kind,
        expression=_expression(record, written),
        relation=relation,
        states=None if written is None else states,
        direction=_expression(record, record.text_or_none("direction")),
        on=record.text("on") if written is not None else "",
        note=record.text_or_none("note") or "",
        reason=reason or "",
    )
    record.refuse_unknown()
    return claim


def _stated(record: Record, kind: Kind) -> tuple[Relation, PublishedNumber | None]:
    """How the expression stands to which number; a bare sign or rank is above 0."""
    written, relation = record.text_or_none("states"), record.text_or_none("relation")
    bare = kind in {"sign", "rank"}
    if relation is not None:
        _choice(record, "relation", get_args(Relation))
    if written is None:
        if relation is not None:
            raise ManifestError(f"{record.where}: 'relation' needs the number it relates to, in 'states'.")
        if not bare and record.text_or_none("expression") is not None:
            raise ManifestError(f"{record.where}: a claim of kind '{kind}' needs 'states', the number its words give.")
        return "above", PublishedNumber(Decimal(0), 0, None)
    try:
        value = Decimal(written)
    except InvalidOperation:
        raise ManifestError(f"{record.where}: 'states' should be a number, found '{written}'.") from None
    decimals = max(0, -int(value.as_tuple().exponent))
    # A bound is what it is; a number that "is" was rounded, unless it counts.
    rounded = relation in {None, "is"} and kind != "count"
    number = PublishedNumber(value, decimals, decimals if rounded else None)
    return cast("Relation", relation or "is"), number


def _expression(record: Record, written: str | None) -> Expression | None:
    if written is None:
        return None
    try:
        return parse(written)
    except ManifestError as error:
        raise ManifestError(f"{record.where}: {error}") from error


def _choice(record: Record, key: str, allowed: tuple[str, ...]) -> str:
    value = record.text(key)
    if value not in allowed:
        raise ManifestError(f"{record.where}: there is no {key} '{value}'; {allowed_names(value, allowed)}")
    return value


def _near(name: str, known: dict[str, Claim]) -> str:
    """Near names only: nobody reads two hundred of them."""
    from difflib import get_close_matches  # noqa: PLC0415

    close = get_close_matches(name.casefold(), known, n=3, cutoff=0.4)
    hint = f"did you mean {', '.join(map(repr, close))}? " if close else ""
    return f"{hint}`spade-bench audit --all` lists them."
