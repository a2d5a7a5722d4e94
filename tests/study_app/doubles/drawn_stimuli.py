"""A small stimulus set drawn on the spot: plain grey patterns, different in every picture."""

import hashlib
import json
import struct
import zlib
from pathlib import Path
from typing import Any

SIDE = 48


def png(number: int, *, side: int = SIDE, extra: bytes = b"") -> bytes:
    """A grey PNG whose pixels depend on `number`; `extra` is put in as a text record."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = [bytes([0]) + bytes((x * (number + 3) + y * number) % 256 for x in range(side)) for y in range(side)]
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    text = chunk(b"tEXt", b"Comment\0" + extra) if extra else b""
    body = chunk(b"IHDR", head) + text + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def write(folder: Path, images: int = 4, *, side: int = SIDE) -> Path:
    """`folder`, filled with a set of that many images."""
    folder.mkdir(parents=True, exist_ok=True)
    counter = iter(range(10_000))

    def picture(**about: Any) -> dict[str, Any]:
        data = png(next(counter), side=side)
        sha256 = hashlib.sha256(data).hexdigest()
        (folder / f"{sha256}.png").write_bytes(data)
        return {"file": f"{sha256}.png", "sha256": sha256, **about}

    entries = [
        {
            "ref": f"image-{number}",
            "true_class": f"gneiss-{number}",
            "pred_class": f"schist-{number}",
            "picture": picture(),
            "regions": {role: picture(area_frac=0.2, bbox=[0, 0, 10, 10]) for role in ("true", "pred")},
            "visualisations": {
                role: {arm: picture(seed=number, steps=8) for arm in ("dense", "spade")} for role in ("true", "pred")
            },
        }
        for number in range(images)
    ]
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "made": {}, "images": entries}))
    return folder
