"""Show the rooms under their import names: build/types/asmnet, a tree of links.

    python tools/package_tree.py [FOLDER]

pyproject.toml maps folders to packages (`"asmnet.train" = "train"`).  Type checkers and
import-linter read packages from folders, so they look at this tree.
"""

from __future__ import annotations

import sys
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

__all__ = ["link_packages"]

ROOT = Path(__file__).resolve().parents[1]


def link_packages(folder: Path) -> Path:
    """Make `folder`/asmnet out of links to the rooms; returns `folder`."""
    mapping = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    rooms = mapping["package-dir"]
    top = folder / "asmnet"
    top.mkdir(parents=True, exist_ok=True)
    for old in top.iterdir():
        old.unlink()
    for source in (ROOT / rooms["asmnet"]).glob("*.py*"):
        (top / source.name).symlink_to(source)
    for name, room in rooms.items():
        if name.count(".") == 1:
            (top / name.partition(".")[2]).symlink_to(ROOT / room)
    return folder


if __name__ == "__main__":
    link_packages(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "types"))
