"""The rules of one study, read once from TOML into frozen types; an unknown key is an error."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from typing import Any, Literal, Self, cast, get_args, get_origin, get_type_hints

from .errors import InputError, nearest


@dataclass(frozen=True)
class Tasks:
    """Which tasks a rater gets, and in what mixture. The defaults are the paper's."""

    per_rater: int = 0
    """Main tasks a rater; 0: as many as there are (4 an image)."""
    one_view_per_image: bool = False
    """Whether a rater sees an image once only, by one class and one arm."""
    classes: Literal["both", "one"] = "both"
    """Both class neurons of an image, or one drawn for the whole run (4.2.2 can be read either way)."""
    catch_share: float = 0.0
    """Share of trials in which the pattern is a region itself."""
    repeat_share: float = 0.0
    """Share of trials that show again a task the rater has answered."""
    repeat_gap: int = 10
    """A repeated task comes at least this many positions after the first time."""
    side_block: int = 4
    """The answer lies left as often as right in every block of this many tasks of a rater; 0: independent coins."""
    lease_minutes: int = 30
    finish_early: bool = True
    """Whether a rater may stop before the last task and still be done."""
    minimum: int = 1
    """Main answers needed for that."""
    break_every: int = 20
    """A rest is offered after this many answers; 0: never."""
    undo_seconds: int = 0
    """How long the last answer can be taken back; 0: not at all."""


@dataclass(frozen=True)
class Stop:
    """When nobody gets another task; 0: no such rule."""

    answers: int = 0
    """Main answers in the run."""
    answers_per_task: int = 0


@dataclass(frozen=True)
class Entry:
    """The ways in, and the ways back to a platform."""

    ways: tuple[Literal["open", "account", "invitation", "prolific", "mturk", "sona"], ...] = (
        "open",
        "account",
        "invitation",
    )
    complete_url: str = ""
    """Where a finished rater is sent; {pid} and {code} are filled in."""
    screened_out_url: str = ""
    withdrawn_url: str = ""
    training_tries: int = 0
    """Wrong choices in the gated trial after which a rater is screened out; 0: never."""


@dataclass(frozen=True)
class Consent:
    """The wording people agree to, by locale; each text a list of paragraphs."""

    version: str = "1"
    text: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Empty: the wording that comes with the app."""
    minimum_age: int = 18


@dataclass(frozen=True)
class Privacy:
    """Who is responsible, and what becomes of data."""

    institution: str = ""
    contact: str = ""
    ethics: str = ""
    """The approval, as it should be cited."""
    retention: str = ""
    """How long data is kept, in words."""
    withdrawal: Literal["delete", "unlink"] = "delete"
    """What happens to the answers of somebody who withdraws."""


Page = Literal["instructions", "sample", "explanation", "trial", "summary", "skips"]
PAGES: tuple[Page, ...] = ("instructions", "sample", "explanation", "trial", "summary", "skips")
"""The training pages of appendix K, in its order. `trial` is gated: only the right choice goes on."""


@dataclass(frozen=True)
class Training:
    """The pages before the first task."""

    pages: tuple[Page, ...] = PAGES
    text: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Paragraphs in place of those that come with the app: locale, then page."""


@dataclass(frozen=True)
class Prize:
    """The paper offers 40 euros to the top performer and does not say how that is found; this is our rule."""

    offered: str = ""
    """In words, as raters read it; empty: no prize."""
    minimum: int = 20
    """Main answers needed to take part."""


Said = Literal["title", "institution", "contact", "ethics", "retention", "prize"]
"""What a study says about itself in a line."""


@dataclass(frozen=True)
class Design:
    """Everything that one study chooses."""

    slug: str
    title: str
    languages: tuple[str, ...] = ("en", "de")
    tasks: Tasks = field(default_factory=Tasks)
    stop: Stop = field(default_factory=Stop)
    entry: Entry = field(default_factory=Entry)
    consent: Consent = field(default_factory=Consent)
    privacy: Privacy = field(default_factory=Privacy)
    training: Training = field(default_factory=Training)
    prize: Prize = field(default_factory=Prize)
    words: Mapping[str, Mapping[Said, str]] = field(default_factory=dict)
    """Those lines in other languages: locale, then which. A language without one shows the line itself."""

    def __post_init__(self) -> None:
        """Check what types cannot say.

        Raises:
            InputError: a value is out of range.
        """
        tasks = self.tasks
        counts = {
            **{f"tasks.{name}": getattr(tasks, name) for name in ("per_rater", "minimum", "break_every")},
            **{f"tasks.{name}": getattr(tasks, name) for name in ("repeat_gap", "side_block", "undo_seconds")},
            **{f"stop.{name}": value for name, value in asdict(self.stop).items()},
            "entry.training_tries": self.entry.training_tries,
        }
        for name, value in counts.items():
            _require(value >= 0, f"{name} is {value}; it must be 0 or more.")
        _require(tasks.lease_minutes > 0, f"tasks.lease_minutes is {tasks.lease_minutes}; it must be 1 or more.")
        _require(tasks.side_block % 2 == 0, f"tasks.side_block is {tasks.side_block}; it must be even.")
        for name in ("catch_share", "repeat_share"):
            share = getattr(tasks, name)
            _require(0 <= share <= 0.5, f"tasks.{name} is {share}; it must lie between 0 and 0.5.")
        _require(bool(self.entry.ways), "entry.ways is empty; nobody could take part.")
        _require(bool(self.languages), "languages is empty; name at least one.")
        pages = self.training.pages
        _require(len(set(pages)) == len(pages), "training.pages names a page twice.")
        _require(self.slug.replace("-", "").isalnum(), f"slug is '{self.slug}'; use letters, digits and hyphens.")

    def said(self, what: Said, locale: str) -> str:
        """A line about the study in a language; empty where it says nothing."""
        about = self.privacy
        own: dict[Said, str] = {
            "title": self.title,
            "institution": about.institution,
            "contact": about.contact,
            "ethics": about.ethics,
            "retention": about.retention,
            "prize": self.prize.offered,
        }
        return self.words.get(locale, {}).get(what) or own[what]

    def as_json(self) -> str:
        """The whole design, keys sorted, as it is stored."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    def sha256(self) -> str:
        """Of the stored form."""
        return hashlib.sha256(self.as_json().encode()).hexdigest()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The design that `as_json` wrote."""
        return cast("Self", _build(cls, json.loads(text), ""))


def parse(text: str) -> Design:
    """The design in a TOML document.

    Raises:
        InputError: it is not TOML, a key is unknown or missing, or a value is not allowed.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise InputError(f"The study file is not TOML: {problem}.") from problem
    return cast("Design", _build(Design, content, ""))


def _require(holds: bool, sentence: str) -> None:  # noqa: FBT001 - the condition is the data
    if not holds:
        raise InputError(sentence)


def _build(kind: Any, content: Any, where: str) -> Any:  # noqa: ANN401 - any dataclass of this file
    """`content` as a `kind`; `where` is the path to it, for error sentences."""
    if not isinstance(content, dict):
        raise InputError(f"{where} must be a table, not {content!r}.")
    hints = get_type_hints(kind)
    known = {one.name: one for one in fields(kind)}
    for name in content:
        if name not in known:
            raise InputError(f"The study file has no key '{where}{name}'. {nearest(name, known)}")
    for name, one in known.items():
        if name not in content and one.default is MISSING and one.default_factory is MISSING:
            raise InputError(f"The study file lacks '{where}{name}'.")
    return kind(**{name: _value(hints[name], value, f"{where}{name}") for name, value in content.items()})


def _value(kind: Any, value: Any, where: str) -> Any:  # noqa: ANN401 - decided by the annotation
    if is_dataclass(kind):
        return _build(kind, value, f"{where}.")
    origin = get_origin(kind)
    if origin is Literal:
        if value not in get_args(kind):
            raise InputError(f"{where} is {value!r}. {nearest(str(value), get_args(kind))}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise InputError(f"{where} must be a list, not {value!r}.")
        return tuple(_value(get_args(kind)[0], one, where) for one in value)
    if origin is not None:  # a mapping
        if not isinstance(value, dict):
            raise InputError(f"{where} must be a table, not {value!r}.")
        of_name, of_one = get_args(kind)
        return {_value(of_name, name, where): _value(of_one, one, f"{where}.{name}") for name, one in value.items()}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise InputError(f"{where} is {value!r}; it must be {_WORDS[kind]}.")
    return value


_WORDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
