"""List what each part of the project depends on, and under which licence: docs/licences.md.

python tools/licences.py        # in an environment that has asmnet[all]
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PAGE = Path(__file__).resolve().parents[1] / "docs" / "licences.md"
PARTS = {
    "": "On a device (`pip install asmnet`)",
    "train": "To train (`train`)",
    "export": "To export (`export`)",
    "qat": "For quantization-aware fine-tuning (`qat`)",
    "preview": "For the live page (`preview`)",
    "osc": "For OSC (`osc`)",
    "supervision": "For supervision's annotators, zones and filters (`supervision`)",
    "batch": "For tables as Parquet (`batch`)",
    "cluster": "For a Ray cluster (`cluster`)",
    "samples": "To make the sample clip anew (`samples`)",
}
HEAD = """# Licences of dependencies

None of these is part of this repository or of its packages: pip installs them. `make licences`
writes this page from what the packages declare (pip-licenses); each package stands where it is
first needed. Third-party files that are part of the repository: `NOTICE`.

Wheels carry libraries of their own: OpenCV's has FFmpeg (LGPL-2.1), imageio-ffmpeg's has FFmpeg's
program, PyAV's has FFmpeg with x264 and x265 (both GPL).
"""


def closure(extra: str) -> set[str]:
    """The installed packages that the project needs with an extra, itself left out."""
    seen: set[tuple[str, str]] = set()
    waiting = [("asmnet", extra)]
    while waiting:
        name, wanted = item = waiting.pop()
        if item in seen:
            continue
        try:
            needed = requires(name) or []
        except PackageNotFoundError:  # another platform's
            continue
        seen.add(item)
        for text in needed:
            one = Requirement(text)
            if one.marker is None or one.marker.evaluate({"extra": wanted}):
                waiting += [(canonicalize_name(one.name), e) for e in one.extras or {""}]
    return {name for name, _ in seen} - {"asmnet"}


def declared() -> dict[str, tuple[str, str]]:
    """Name and licence of each installed package, by its canonical name."""
    command = [sys.executable, "-m", "piplicenses", "--from", "mixed"]
    command += ["--format", "json", "--with-system"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {canonicalize_name(one["Name"]): (one["Name"], one["License"]) for one in found}


def page() -> str:
    """The page's text."""
    licences, listed, lines = declared(), set(), [HEAD]
    for extra, title in PARTS.items():
        names = sorted(closure(extra) - listed)
        listed |= set(names)
        lines += [f"## {title}\n", "| package | licence |", "|---|---|"]
        lines += [f"| {licences[name][0]} | {licences[name][1]} |" for name in names] + [""]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(PAGE)
