"""Face landmarks and head pose: `import asmnet`.

    for frame, faces in asmnet.track_source("demo"):  # a camera, file, folder or URL
        for face in faces:
            print(face.id, face.pose, face.landmarks[30])

Everything here runs on a device: numpy, OpenCV and a TFLite interpreter, loaded on first use.
Training, evaluation and export are in `asmnet.train`, `asmnet.evaluate` and `asmnet.export`.
"""

import importlib
import importlib.metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asmnet.core import UserError
    from asmnet.edge_runtime import (
        Face,
        FaceDetector,
        FaceTracker,
        Landmarker,
        draw,
        frames_from,
        track_source,
    )

__all__ = [
    "Face",
    "FaceDetector",
    "FaceTracker",
    "Landmarker",
    "UserError",
    "__version__",
    "draw",
    "frames_from",
    "track_source",
]

__version__ = importlib.metadata.version("asmnet")


def __getattr__(name: str) -> Any:
    """Import on first use, so that `import asmnet` itself costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = "core" if name == "UserError" else "edge_runtime"
    value = getattr(importlib.import_module(f"asmnet.{room}"), name)
    globals()[name] = value
    return value
