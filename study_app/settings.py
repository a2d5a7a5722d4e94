"""How a server is set up: from environment variables, checked once, nothing secret by default."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import InputError, nearest

PREFIX = "SPADE_STUDY_"
SECRET_BYTES = 32


@dataclass(frozen=True)
class Settings:
    """What differs from server to server. A study's own choices are in its design."""

    secret_key: str
    database_url: str
    pictures: Path
    """Folder of the stimulus pictures, kept by their sha256."""
    secret_key_fallbacks: tuple[str, ...] = ()
    """Earlier secret keys: what they signed is still accepted while a new one is brought in."""
    trusted_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    proxies: int = 0
    """Reverse proxies in front of the server whose X-Forwarded headers are believed."""
    insecure_http: bool = False
    """Plain HTTP, for one's own machine: cookies are sent without TLS."""
    rate_limits: bool = True
    rate_limit_storage: str = "memory://"
    """Where attempts are counted; several processes need one that they share, such as redis."""
    log_level: str = "INFO"

    def __post_init__(self) -> None:
        """Refuse what would be unsafe.

        Raises:
            InputError: a value cannot be used; the sentence names its variable.
        """
        for key in (self.secret_key, *self.secret_key_fallbacks):
            if len(key.encode()) < SECRET_BYTES:
                raise InputError(
                    f"A secret key of {len(key.encode())} bytes is too short; {PREFIX}SECRET_KEY needs at least "
                    f"{SECRET_BYTES}. Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
                )
        if not self.trusted_hosts:
            raise InputError(f"{PREFIX}TRUSTED_HOSTS is empty; name the host names people will type, with commas.")
        for host in self.trusted_hosts:
            if not re.fullmatch(r"\.?[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]", host):
                raise InputError(f"'{host}' in {PREFIX}TRUSTED_HOSTS is no host name (no scheme, port or *).")
        if self.proxies < 0:
            raise InputError(f"{PREFIX}PROXIES is {self.proxies}; it counts reverse proxies, 0 or more.")


_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings in variables that start with SPADE_STUDY_.

    A variable NAME_FILE names a file with the value of NAME, as containers hand in secrets.

    Raises:
        InputError: one is missing, unknown or cannot be used.
    """
    given = {name.removeprefix(PREFIX): value for name, value in environment.items() if name.startswith(PREFIX)}
    values = {name: value for name, value in given.items() if not name.endswith("_FILE")}
    for name, path in given.items():
        if name.endswith("_FILE"):
            values[name.removesuffix("_FILE")] = _content(name, path)
    known = {"SECRET_KEY", "DATABASE_URL", "PICTURES", *_READERS}
    for name in values:
        if name not in known:
            raise InputError(f"{PREFIX}{name} is no setting. {nearest(name, known)}")
    for name in ("SECRET_KEY", "DATABASE_URL", "PICTURES"):
        if not values.get(name):
            raise InputError(f"{PREFIX}{name} is not set, and has no default.")
    others: dict[str, Any] = {name.lower(): _READERS[name](name, values[name]) for name in _READERS if name in values}
    return Settings(values["SECRET_KEY"], values["DATABASE_URL"], Path(values["PICTURES"]), **others)


def _content(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(f"{PREFIX}{name} names {path}, which cannot be read.") from problem


def _listed(_name: str, value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _switch(name: str, value: str) -> bool:
    if value.lower() not in _WORDS:
        raise InputError(f"{PREFIX}{name} is '{value}'. Allowed: {', '.join(_WORDS)}.")
    return _WORDS[value.lower()]


def _count(name: str, value: str) -> int:
    if not value.isdecimal():
        raise InputError(f"{PREFIX}{name} is '{value}'; it is a whole number.")
    return int(value)


def _level(name: str, value: str) -> str:
    if value.upper() not in _LEVELS:
        raise InputError(f"{PREFIX}{name} is '{value}'. {nearest(value, _LEVELS)}")
    return value.upper()


_READERS = {
    "SECRET_KEY_FALLBACKS": _listed,
    "TRUSTED_HOSTS": _listed,
    "PROXIES": _count,
    "INSECURE_HTTP": _switch,
    "RATE_LIMITS": _switch,
    "RATE_LIMIT_STORAGE": lambda _name, value: value,
    "LOG_LEVEL": _level,
}
