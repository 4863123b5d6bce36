"""What runs on the device: find faces, place their landmarks, follow them.

    tracker = FaceTracker.load()
    for frame in frames_from("demo"):
        for face in tracker.update(frame.image, frame.t):
            print(face.id, face.pose)

Needs numpy, OpenCV, click and a TFLite interpreter, nothing more.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asmnet.edge_runtime.detector import Detection, FaceDetector
    from asmnet.edge_runtime.drawing import draw
    from asmnet.edge_runtime.io.sources import Frame, frames_from
    from asmnet.edge_runtime.landmarker import Face, Landmarker
    from asmnet.edge_runtime.tracking.track_source import track_source
    from asmnet.edge_runtime.tracking.tracker import FaceTracker

__all__ = [
    "Detection",
    "Face",
    "FaceDetector",
    "FaceTracker",
    "Frame",
    "Landmarker",
    "draw",
    "frames_from",
    "track_source",
]

_MODULES = {
    "Detection": "detector",
    "Face": "landmarker",
    "FaceDetector": "detector",
    "FaceTracker": "tracking.tracker",
    "Frame": "io.sources",
    "Landmarker": "landmarker",
    "draw": "drawing",
    "frames_from": "io.sources",
    "track_source": "tracking.track_source",
}


def __getattr__(name: str) -> Any:
    """Import on first use: `asmnet-doctor` must start where OpenCV cannot be imported."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
