"""A folder of installed packages, made as an installer leaves it."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmark import definition, scale
from spade import plugins


def forget() -> None:
    """What was looked up of installed packages is looked up again."""
    importlib.invalidate_caches()
    plugins.installed.cache_clear()
    plugins._source.cache_clear()
    plugins._imported.cache_clear()
    definition.load.cache_clear()
    scale.load.cache_clear()


@dataclass
class Site:
    """The folder; `packages` are the names that what is put there is imported by."""

    folder: Path
    packages: set[str] = field(default_factory=set)

    def install(self, name: str, version: str, groups: Mapping[str, Mapping[str, str]], **modules: str) -> None:
        """A package: its name, release and entry points, and the text of its modules by name."""
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
        lines = [
            line
            for group, parts in groups.items()
            for line in (f"[{group}]", *(f"{k} = {v}" for k, v in parts.items()))
        ]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        package = self.folder / name.replace("-", "_")
        package.mkdir()
        for module, text in {"__init__": "", **modules}.items():
            (package / f"{module}.py").write_text(text, encoding="utf-8")
        self.packages.add(package.name)
        forget()
