"""What everybody agrees on: published numbers and manifests. Standard library only.

The ideas, each with its file: a published table (published/table.py), a printed number (published/number.py), one
spelling a saliency method (published/method_names.py), a manifest of files (manifest.py), whether a file is the one
meant (verification.py), which patch turns which class into which (trojan_patch.py).
"""

from .errors import ManifestError, UnknownNameError
from .manifest import Manifest, ManifestEntry, ManifestFile
from .trojan_patch import TrojanPatch, trojan_patches
from .verification import Verification, verify

__all__ = [
    "Manifest",
    "ManifestEntry",
    "ManifestError",
    "ManifestFile",
    "TrojanPatch",
    "UnknownNameError",
    "Verification",
    "trojan_patches",
    "verify",
]
