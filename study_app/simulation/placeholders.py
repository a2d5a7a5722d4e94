"""Pictures for studies in which nobody looks: small grey squares, each different."""

import hashlib
import json
import struct
import zlib
from pathlib import Path

from ..stimulus_set import ARMS, MANIFEST, ROLES

SIDE = 24


def write(folder: Path, images: int) -> Path:
    """`folder`, which then holds a stimulus set of so many images."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for number in range(images):
        made = iter(range(7 * number, 7 * number + 7))
        entries.append(
            {
                "ref": f"image-{number:04d}",
                "true_class": f"class-{number}-a",
                "pred_class": f"class-{number}-b",
                "picture": _picture(folder, next(made)),
                "regions": {role: _picture(folder, next(made)) for role in ROLES},
                "visualisations": {role: {arm: _picture(folder, next(made)) for arm in ARMS} for role in ROLES},
            }
        )
    content = {"format": 1, "made": {"by": "simulated study"}, "images": entries}
    (folder / MANIFEST).write_text(json.dumps(content, indent=1), encoding="utf-8")
    return folder


def _picture(folder: Path, number: int) -> dict[str, str]:
    data = _png(number)
    digest = hashlib.sha256(data).hexdigest()
    (folder / f"{digest}.png").write_bytes(data)
    return {"file": f"{digest}.png", "sha256": digest}


def _png(number: int) -> bytes:
    # The first pixels spell the number, so that no two pictures are alike.
    first = number.to_bytes(4, "big") + bytes((128 + x) % 256 for x in range(SIDE - 4))
    rows = b"\0" + first + (b"\0" + bytes([number % 251]) * SIDE) * (SIDE - 1)
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
