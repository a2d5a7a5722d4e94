"""One TOML table read key by key, so that every key is typed, and a key nobody asked for is refused."""

import tomllib
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Self

from .errors import ManifestError, allowed_names


class Record:
    """A TOML table at a place that an error can name.

    Ask for each key, then call `refuse_unknown`: the keys asked for are the keys allowed.
    """

    def __init__(self, raw: Mapping[str, object], where: str) -> None:
        self.where = where
        self._raw = raw
        self._asked: list[str] = []

    @classmethod
    def from_file(cls, path: Traversable, where: str) -> Self:
        """The file's top table.

        Raises:
            ManifestError: the file is missing or is not TOML in UTF-8.
        """
        try:
            return cls(tomllib.loads(path.read_text(encoding="utf-8")), where)
        except OSError as error:
            raise ManifestError(f"{where}: the file cannot be read ({error.strerror or error}).") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ManifestError(f"{where}: expected TOML in UTF-8, found a syntax error: {error}.") from error

    def text(self, key: str) -> str:
        """A string that is not empty."""
        value = self.text_or_none(key)
        if value is None:
            raise ManifestError(f"{self.where}: the key '{key}' is missing.")
        return value

    def text_or_none(self, key: str) -> str | None:
        """A string that is not empty, or None where the key is absent."""
        value = self._ask(key)
        if value is None or (isinstance(value, str) and value.strip()):
            return value
        raise self._wrong(key, "a string that is not empty", value)

    def integer_or_none(self, key: str) -> int | None:
        """A whole number of at least 0, or None where the key is absent."""
        value = self._ask(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
            return value
        raise self._wrong(key, "a whole number of at least 0", value)

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self._ask(key)
        if isinstance(value, bool):
            return value
        raise self._wrong(key, "true or false", value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings, possibly empty."""
        value = self._ask(key)
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        raise self._wrong(key, "a list of strings", value)

    def texts_or_none(self, key: str) -> tuple[str, ...] | None:
        """A list of strings, or None where the key is absent."""
        return None if self._ask(key) is None else self.texts(key)

    def text_lists(self, key: str) -> tuple[tuple[str, ...], ...]:
        """A list of lists of strings."""
        value = self._ask(key)
        if isinstance(value, list) and all(
            isinstance(item, list) and item and all(isinstance(one, str) and one for one in item) for item in value
        ):
            return tuple(tuple(item) for item in value)
        raise self._wrong(key, "a list of lists of strings", value)

    def records(self, key: str) -> tuple["Record", ...]:
        """The tables of an array of tables; none where the key is absent."""
        value = self._ask(key)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return tuple(Record(item, f"{self.where}, {key} {number}") for number, item in enumerate(value, start=1))
        raise self._wrong(key, f"tables headed [[{key}]]", value)

    def named_records(self, key: str) -> dict[str, "Record"]:
        """The tables below a table, by name; none where the key is absent."""
        value = self._ask(key)
        if value is None:
            return {}
        if isinstance(value, dict) and all(isinstance(item, dict) for item in value.values()):
            return {name: Record(item, f"{self.where}, {key}.{name}") for name, item in value.items()}
        raise self._wrong(key, f"tables headed [{key}.NAME]", value)

    def refuse_unknown(self) -> None:
        """Nothing; every key present must have been asked for by now.

        Raises:
            ManifestError: a key was not asked for.
        """
        for key in self._raw:
            if key not in self._asked:
                raise ManifestError(f"{self.where}: unknown key '{key}'; {allowed_names(key, self._asked)}")

    def _ask(self, key: str) -> object:
        self._asked.append(key)
        return self._raw.get(key)

    def _wrong(self, key: str, expected: str, found: object) -> ManifestError:
        shown = "nothing" if found is None else repr(found)
        return ManifestError(f"{self.where}: the key '{key}' should be {expected}, found {shown}.")
