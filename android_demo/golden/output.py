"""What the Python runtime writes about faces: JSON lines."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from asmnet.core import Crop, Event
from asmnet.edge_runtime.io.sinks import record_line
from asmnet.edge_runtime.io.sources import Frame
from asmnet.edge_runtime.landmarker import Face

__all__ = ["trace"]

SOURCE = 'camera "é\n\\'


def trace() -> dict[str, np.ndarray]:
    """Lines of JSON for no face, one and two; halves, minus zero and long numbers among them."""
    random = np.random.default_rng(7)
    points = random.uniform(-20, 700, (2, 68, 2)).astype(np.float32)
    points[0, :6].flat = [0.125, -0.125, 3.0, -0.001, 1234.375, 100.1, 0.005, 7.25, 0.5, 9, 99, -1]
    poses = random.uniform(-90, 90, (2, 3)).astype(np.float32)
    scores = (0.95678, None)
    faces = [Face(points[n], poses[n], Crop(0, 0, 1), scores[n], id=10 * n + 3) for n in range(2)]
    # The second is followed: its signals are known.
    signals = {
        "position": np.array([0.25, -0.04, 1234.56], np.float32),
        "eyes": np.array([1.0, 0.12349]),
        "mouth": 0.0006,
        "events": (Event("blink", 11.9, 12.00005), Event("yawn", 1 / 3, 12.00005)),
    }
    faces[1] = replace(faces[1], **signals)
    image = np.zeros((480, 640, 3), np.uint8)
    times = np.array([0.0, 1 / 30, 12.00005])
    lines = []
    for n, t in enumerate(times):
        line = record_line(Frame(image, float(t), n, 30.0, SOURCE), faces[:n])
        lines.append(json.dumps(line, separators=(",", ":")) + "\n")
    return {
        "trace/points": points,
        "trace/poses": poses,
        "trace/times": times,
        "trace/source": np.frombuffer(SOURCE.encode(), np.uint8),
        "trace/lines": np.frombuffer("".join(lines).encode(), np.uint8),
    }
