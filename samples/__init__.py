"""Freely licensed faces and a clip that ship with the package; see `samples/README.md`."""

from pathlib import Path

__all__ = ["CLIP", "CLIP_TRUTH", "LONDON", "PORTRAITS"]

_HERE = Path(__file__).parent

LONDON = _HERE / "london"
PORTRAITS = _HERE / "portraits"
CLIP = _HERE / "clip" / "faces.mp4"
CLIP_TRUTH = _HERE / "clip" / "faces.json"
