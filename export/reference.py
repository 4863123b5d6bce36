"""The reference inside the file: what the float model answers on some faces.

`asmnet.edge_runtime.verify` reads it on any machine.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from asmnet.core import embed_file
from asmnet.edge_runtime.verify import FACES, REFERENCE
from asmnet.evaluate.face_sets import FaceSet

__all__ = ["carried", "embed_reference"]


def carried(faces: FaceSet) -> np.ndarray:
    """Which of the judged faces a file carries: at most `FACES`, and no warped copies."""
    count = len(faces.crops)
    return np.linspace(0, count - 1, min(FACES, count)).astype(int)


def embed_reference(file: Path, faces: FaceSet, points: np.ndarray, pose: np.ndarray) -> None:
    """Store what the float model answers on some of the faces in a `.tflite` file.

    Args:
        file: changed in place.
        faces: those judged; the file gets the ones of `carried`.
        points, pose: the float model's answers: (M, N, 2) crop units and (M, 3) degrees.
    """
    kept = carried(faces)
    if not len(kept):
        return
    squares = [faces.crops[i] for i in kept]
    # int16: steps far below what rounding the network does.
    step = np.float32(max(float(np.abs(points[kept]).max()), 1.0) / 32767)
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        names=np.array([faces.names[i] for i in kept]),
        crops=np.array([[c.cx, c.cy, c.side, c.angle] for c in squares]),
        points=np.rint(points[kept] / step).astype(np.int16),
        step=step,
        pose=pose[kept].astype(np.float32),
    )
    embed_file(file, REFERENCE, stream.getvalue())
