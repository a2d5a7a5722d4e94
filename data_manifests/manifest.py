"""What a data set, a weights file or a patch picture is, where it comes from, and how to know it is the right one."""

import re
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from .errors import ManifestError, UnknownNameError, allowed_names
from .record import Record

MANIFESTS = ("datasets", "weights", "patches")
_HASHES = {"sha256": r"[0-9a-f]{64}", "sha256_prefix": r"[0-9a-f]{8,63}", "md5": r"[0-9a-f]{32}"}


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One file and what is known to recognise it by.

    Attributes:
        name: relative path with "/", below the folder the reader keeps such files in.
        bytes: size, or None where nobody here has had the file.
        sha256: hash of the content, or None; then `why_no_hash` says why.
        sha256_prefix: the first digits of the hash, as its publisher puts them into the file's name, or None.
        md5: hash that a public loader of this file checks, or None; tells damage, not forgery.
        why_no_hash: a sentence, exactly where `sha256` is None.
        address: where this file alone is to be had, or None where the entry's address is all.
    """

    name: str
    bytes: int | None
    sha256: str | None
    sha256_prefix: str | None
    md5: str | None
    why_no_hash: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """A data set, a network's weights, or a patch picture.

    Attributes:
        id: its name here.
        title: its name in the world.
        purpose: what it is for here.
        address: the page of those who made it.
        licence: under which terms, in words where there is no short name.
        redistributable: whether the licence lets anyone pass the files on.
        obtain: how to get the files.
        citation: the work to cite.
        named_in: places of the paper that name it; empty where the paper does not.
        files: the files; empty where there is nothing to fetch, as `obtain` then tells.
    """

    id: str
    title: str
    purpose: str
    address: str
    licence: str
    redistributable: bool
    obtain: str
    citation: str
    named_in: tuple[str, ...]
    files: tuple[ManifestFile, ...]

    def file(self, name: str) -> ManifestFile:
        """The file of this name.

        Raises:
            UnknownNameError: the entry has no such file.
        """
        for candidate in self.files:
            if candidate.name == name:
                return candidate
        known = allowed_names(name, (candidate.name for candidate in self.files))
        raise UnknownNameError(f"'{self.id}' has no file '{name}'; {known}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """All entries of one manifest, in the file's order."""

    name: str
    entries: tuple[ManifestEntry, ...]

    def entry(self, entry_id: str) -> ManifestEntry:
        """The entry of this id.

        Raises:
            UnknownNameError: the manifest has no such entry.
        """
        for candidate in self.entries:
            if candidate.id == entry_id:
                return candidate
        known = allowed_names(entry_id, (candidate.id for candidate in self.entries))
        raise UnknownNameError(f"{self.name}.toml has no entry '{entry_id}'; {known}")


def load(name: str, folder: Traversable | None = None) -> Manifest:
    """The manifest "datasets", "weights" or "patches".

    `folder` holds the TOML files; without it, those of this package are read.

    Raises:
        UnknownNameError: there is no such manifest.
        ManifestError: the file is not as it must be.
    """
    if name not in MANIFESTS:
        raise UnknownNameError(f"There is no manifest '{name}'; {allowed_names(name, MANIFESTS)}")
    folder = folder or files("data_manifests")
    top = Record.from_file(folder.joinpath(f"{name}.toml"), f"{name}.toml")
    entries = tuple(_entry(entry_id, record) for entry_id, record in top.named_records("entry").items())
    if name == "patches":
        # Which patch turns which class into which: read by trojan_patch.
        top.records("trojan")
    top.refuse_unknown()
    return Manifest(name, entries)


def _entry(entry_id: str, record: Record) -> ManifestEntry:
    entry = ManifestEntry(
        id=entry_id,
        title=record.text("title"),
        purpose=record.text("purpose"),
        address=_address(record, record.text("address")),
        licence=record.text("licence"),
        redistributable=record.flag("redistributable"),
        obtain=record.text("obtain"),
        citation=record.text("citation"),
        named_in=record.texts("named_in"),
        files=tuple(_file(file_record) for file_record in record.records("file")),
    )
    record.refuse_unknown()
    names = [known.name for known in entry.files]
    for name in names:
        if names.count(name) > 1:
            raise ManifestError(f"{record.where}: the file '{name}' is listed {names.count(name)} times.")
    return entry


def _file(record: Record) -> ManifestFile:
    address = record.text_or_none("address")
    found = ManifestFile(
        name=_relative(record),
        bytes=record.integer_or_none("bytes"),
        sha256=_hash(record, "sha256"),
        sha256_prefix=_hash(record, "sha256_prefix"),
        md5=_hash(record, "md5"),
        why_no_hash=record.text_or_none("why_no_hash"),
        address=None if address is None else _address(record, address),
    )
    record.refuse_unknown()
    if (found.sha256 is None) == (found.why_no_hash is None):
        raise ManifestError(
            f"{record.where}: expected either 'sha256' or a sentence in 'why_no_hash', not both or none."
        )
    if found.sha256 is not None and found.bytes is None:
        raise ManifestError(f"{record.where}: 'bytes' is missing beside 'sha256'; who hashed the file knows its size.")
    return found


def _relative(record: Record) -> str:
    name = record.text("name")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or path.as_posix() != name:
        raise ManifestError(f"{record.where}: 'name' should be a plain relative path with '/', found '{name}'.")
    return name


def _hash(record: Record, kind: str) -> str | None:
    value = record.text_or_none(kind)
    if value is not None and not re.fullmatch(_HASHES[kind], value):
        raise ManifestError(f"{record.where}: '{kind}' should be hexadecimal digits {_HASHES[kind]}, found '{value}'.")
    return value


def _address(record: Record, address: str) -> str:
    if not address.startswith(("https://", "http://")):
        raise ManifestError(f"{record.where}: 'address' should start with https:// or http://, found '{address}'.")
    return address
