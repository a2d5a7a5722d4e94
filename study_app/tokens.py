"""Names that cannot be guessed, and draws that can be repeated."""

import hashlib
import hmac
import secrets
from base64 import b32encode

CODE_GROUPS, CODE_GROUP = 4, 4


def token() -> str:
    """A public id: 22 characters of 128 random bits, a letter first, so that no spreadsheet takes it for a formula."""
    while not (drawn := secrets.token_urlsafe(16))[0].isalpha():
        pass
    return drawn


def seed() -> int:
    """A random seed that fits a signed 64-bit column."""
    return secrets.randbits(62)


def code() -> str:
    """Something to write down: 80 random bits as four groups, without characters that look alike."""
    return _grouped(secrets.token_bytes(10))


def derived_code(secret: str, *parts: str) -> str:
    """A code that is the same whenever it is asked for and that nobody without the secret can make."""
    return _grouped(hmac.digest(secret.encode(), "/".join(parts).encode(), hashlib.sha256)[:10])


def code_hash(text: str) -> str:
    """What is stored of a code, however it was typed: case, spaces and hyphens do not matter."""
    plain = "".join(one for one in text.upper() if one.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def draw(*parts: object) -> float:
    """A number in [0, 1) that depends on `parts` alone, alike on every machine and release."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _grouped(raw: bytes) -> str:
    # 16 characters of 5 bits; I and O, which look like digits, become 8 and 9, which base 32 leaves free.
    letters = b32encode(raw).decode().replace("I", "8").replace("O", "9")
    return "-".join(letters[start : start + CODE_GROUP] for start in range(0, CODE_GROUPS * CODE_GROUP, CODE_GROUP))
