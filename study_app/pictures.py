"""Pictures kept by their sha256, read back only as they were put in."""

import hashlib
import struct
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from .errors import EnvironmentProblem, InputError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Everything else (text, time, camera data) could tell where a picture came from.
_CHUNKS = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}


class PictureAltered(EnvironmentProblem):
    """A picture is missing, or its bytes are not those it was stored with."""


@dataclass(frozen=True)
class Size:
    """Of a picture, in pixels."""

    width: int
    height: int


class PictureStore:
    """A folder of PNG files named by content: no name says anything, and no path comes from a browser."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[str, tuple[int, int]] = {}

    def add(self, data: bytes) -> str:
        """The sha256 under which `data` now lies.

        Raises:
            EnvironmentProblem: the folder cannot be written.
        """
        name = hashlib.sha256(data).hexdigest()
        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Renamed when whole, so that a reader never meets half a picture.
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(data)
            Path(file.name).replace(path)
            path.chmod(0o644)
        except OSError as problem:
            raise EnvironmentProblem(f"Pictures cannot be kept in {self.folder}: {problem.strerror}.") from problem
        return name

    def is_there(self) -> bool:
        """Whether the folder holds anything at all: it does not while its disk is not mounted."""
        try:
            return any(self.folder.iterdir())
        except OSError:
            return False

    def read(self, sha256: str) -> bytes:
        """The picture of that hash.

        Raises:
            PictureAltered: it is not there, or no longer has that hash.
        """
        try:
            data = self._path(sha256).read_bytes()
        except OSError as problem:
            raise PictureAltered(f"The picture {sha256} is missing from {self.folder}.") from problem
        if hashlib.sha256(data).hexdigest() != sha256:
            raise PictureAltered(f"The picture {sha256} in {self.folder} was altered.")
        return data

    def seems_whole(self, sha256: str) -> bool:
        """Whether the picture is there as it was put in; a file that did not change since is not read again."""
        try:
            stat = self._path(sha256).stat()
        except OSError:
            return False
        mark = (stat.st_size, stat.st_mtime_ns)
        if self._seen.get(sha256) == mark:
            return True
        try:
            self.read(sha256)
        except PictureAltered:
            return False
        self._seen[sha256] = mark
        return True

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / f"{sha256}.png"


def inspect(data: bytes, name: str) -> Size:
    """The size of a PNG that carries a picture and nothing else.

    Raises:
        InputError: it is no PNG, is damaged, or carries text, dates or the like; `name` is told.
    """
    if not data.startswith(_SIGNATURE):
        raise InputError(f"{name} is not a PNG file.")
    size: Size | None = None
    kind = b""
    offset = len(_SIGNATURE)
    while offset < len(data):
        if offset + 12 > len(data):
            raise InputError(f"{name} is cut off.")
        (length,) = struct.unpack_from(">I", data, offset)
        kind, body = data[offset + 4 : offset + 8], data[offset + 8 : offset + 8 + length]
        check = data[offset + 8 + length : offset + 12 + length]
        if len(check) < 4 or zlib.crc32(kind + body) != int.from_bytes(check, "big"):
            raise InputError(f"{name} is damaged: a checksum in it is wrong.")
        if kind not in _CHUNKS:
            raise InputError(
                f"{name} carries a '{kind.decode('latin-1')}' record, which could tell raters where it comes from; "
                "write the picture again without metadata."
            )
        if kind == b"IHDR":
            size = Size(*struct.unpack_from(">II", body))
        offset += 12 + length
    if kind != b"IEND":
        raise InputError(f"{name} is cut off.")
    if size is None:
        raise InputError(f"{name} has no picture in it.")
    return size


def padded(data: bytes, length: int) -> bytes:
    """`data` with zeros behind its end, `length` bytes in all, so that its size tells nothing.

    A PNG ends with its IEND record; browsers do not look behind it.
    """
    return data + bytes(max(0, length - len(data)))
