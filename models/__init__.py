"""Model files that ship with the package; each network has a card, NAME.md."""

from __future__ import annotations

import os
from pathlib import Path

from asmnet.core import UserError

__all__ = ["DEFAULT", "DETECTOR", "TURNED_DETECTOR", "find", "shipped"]

_HERE = Path(__file__).parent

DEFAULT = "asmnet-spatial-68-112"
DETECTOR = _HERE / "face_detection_short_range.tflite"
TURNED_DETECTOR = _HERE / "face_detection_yunet.tflite"


def shipped() -> tuple[str, ...]:
    """The names of the networks at hand, such as "asmnet-68-224": points, then input side."""
    return tuple(sorted(path.stem.removesuffix("-int8") for path in _HERE.glob("*-int8.tflite")))


def find(model: str | os.PathLike[str] = DEFAULT, kind: str = ".tflite") -> Path:
    """The file of a shipped network, or the file given.

    Args:
        model: a name from `shipped`, or the path of a `.keras` or `.tflite` file.
        kind: for a name: ".tflite" (int8), ".keras" (float) or ".shape.npz" (shape model).

    Raises:
        UserError: neither a name nor a model file's path, or the float network of a base
            install, which has none: devices do not need it.
    """
    name = os.fspath(model)
    if name in shipped():
        path = _HERE / (f"{name}-int8.tflite" if kind == ".tflite" else name + kind)
        if not path.is_file():
            raise UserError(
                f"the float network {path.name} is not part of an install: in a clone of the "
                "repository run pip install -e '.[export]'"
            )
        return path
    if name.endswith((".keras", ".tflite")):
        return Path(name)  # its reader says whether it is there
    raise UserError(
        f"unknown model {name!r}; choose one of {', '.join(shipped())}, "
        "or give the path of a .tflite or .keras file"
    )
