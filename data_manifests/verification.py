"""Whether a file on this machine is the one the manifest means."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from .errors import ManifestError
from .manifest import ManifestFile

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found, and what it was held against.

    Attributes:
        path: the file looked at.
        bytes: its size.
        sha256: its hash, computed whether or not the manifest knows one.
        checked: what agreed, of "bytes", "sha256", "sha256_prefix", "md5"; empty when the manifest knows nothing to
            hold the file against, which is not the same as having passed.
    """

    path: Path
    bytes: int
    sha256: str
    checked: tuple[str, ...]


def verify(file: ManifestFile, path: Path) -> Verification:
    """The size and hash of `path`, after everything the manifest knows about `file` was held against them.

    Raises:
        ManifestError: the file cannot be read, or its size or a hash is another.
    """
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                sha256.update(chunk)
                md5.update(chunk)
    except OSError as error:
        raise ManifestError(
            f"{path}: expected the file '{file.name}', and it cannot be read ({error.strerror})."
        ) from error
    digest = sha256.hexdigest()
    held = (
        ("bytes", file.bytes, size),
        ("sha256", file.sha256, digest),
        ("sha256_prefix", file.sha256_prefix, digest[: len(file.sha256_prefix or "")]),
        ("md5", file.md5, md5.hexdigest()),
    )
    for kind, expected, found in held:
        if expected is not None and found != expected:
            raise ManifestError(
                f"{path}: expected {kind.replace('_', ' ')} {expected} for '{file.name}', found {found}; "
                "the file is damaged or another one."
            )
    return Verification(path, size, digest, tuple(kind for kind, expected, _ in held if expected is not None))
