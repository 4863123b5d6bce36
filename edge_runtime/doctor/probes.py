"""What `asmnet-doctor` tries in processes of their own, since it may crash or hang.

Each function imports what it needs itself, so that a camera is not asked through a broken
OpenCV.  They are called by `findings.probe`: arguments are strings, results JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import statistics
import struct
import sys
import time
from pathlib import Path
from typing import Any

from asmnet.edge_runtime.doctor.findings import read

__all__ = ["camera", "detector", "interpreter", "landmarker", "main", "opencv", "speed"]

# Seconds of tracking and of each count of threads in `speed`, and runs that are not counted.
_TRACKING, _NETWORK, _WARM_UP = 1.4, 0.3, 5


def interpreter() -> dict[str, Any]:
    """Load the interpreter and run a network once.

    Returns:
        package: name and version.
        refused: why the network was not run; empty if it was.  A damaged file is not the
            interpreter's fault.
    """
    import numpy as np

    from asmnet import models
    from asmnet.core import UserError
    from asmnet.edge_runtime.interpreter import Network, interpreter_version

    answer = {"package": interpreter_version(), "refused": ""}
    try:
        network = Network(models.DETECTOR)
        network.run(np.zeros(network.input["shape"], network.input["dtype"]))
    except UserError as error:
        answer["refused"] = str(error)
    return answer


def landmarker(path: str) -> bool:
    """Load a landmark model and run it once."""
    import numpy as np

    from asmnet.edge_runtime.landmarker import Landmarker

    model = Landmarker.load(path)
    points, pose = model.raw(np.zeros((model.spec.input_size, model.spec.input_size, 3), np.uint8))
    return bool(np.isfinite(points).all() and np.isfinite(pose).all())


def detector(path: str) -> bool:
    """Load a face detector and run it once."""
    import numpy as np

    from asmnet.edge_runtime.detector import FaceDetector

    FaceDetector.load(path).detect(np.zeros((128, 128, 3), np.uint8))
    return True


def opencv() -> dict[str, Any]:
    """Import OpenCV: its version, its windows ("" if none) and what it reads videos with."""
    import cv2

    information = cv2.getBuildInformation()

    def setting(name: str) -> str:
        match = re.search(rf"^\s*{name}:[ \t]*(.*)$", information, re.MULTILINE)
        value = match[1].strip() if match else "NO"
        return "" if value.split()[:1] in (["NO"], ["NONE"]) else value or "YES"

    return {
        "version": cv2.__version__,
        "gui": setting("GUI"),
        "video": {
            "FFmpeg": bool(setting("FFMPEG")),
            "V4L2": bool(setting("v4l/v4l2")),
            "GStreamer": bool(setting("GStreamer")),
        },
    }


def camera(node: str) -> bool:
    """Whether a device node such as /dev/video0 delivers pictures."""
    import fcntl

    # VIDIOC_QUERYCAP fills struct v4l2_capability: 80 bytes of names, a version, what the
    # whole device can, what this node can.  Bits: capture, capture with several planes.
    answer = bytearray(104)
    handle = os.open(node, os.O_RDONLY)
    try:
        fcntl.ioctl(handle, 0x80685600, answer)
    finally:
        os.close(handle)
    whole, own = struct.unpack_from("=II", answer, 84)
    return bool((own if whole & 0x80000000 else whole) & 0x1001)


def speed(model: str, clip: str, threads: str) -> dict[str, Any]:
    """Two seconds of tracking the clip on one thread, and of the network on several.

    Returns:
        update: ms of a whole tracker update, median.
        fps: updates a second, the detector's turns included.
        faces: share of the frames with a face.
        network: ms of the network alone, median: on one thread, on `threads`.
        memory: MB that this process took at most; 0 where the system does not tell.
    """
    import cv2
    import numpy as np

    from asmnet.edge_runtime import FaceTracker, Landmarker, frames_from

    cv2.setNumThreads(1)
    tracker = FaceTracker.load(model)
    updates, faces, stop = [], 0, time.perf_counter() + _TRACKING
    with contextlib.closing(frames_from(clip)) as frames:
        for frame in frames:
            begin = time.perf_counter()
            faces += bool(tracker.update(frame.image, frame.t))
            updates.append(time.perf_counter() - begin)
            if begin > stop:
                break
    counted = updates[_WARM_UP:] or updates
    peak = re.search(r"VmHWM:\s+(\d+) kB", read(Path("/proc/self/status")))

    size = tracker.landmarker.spec.input_size
    pixels = np.full((size, size, 3), 128, np.uint8)
    network = []
    # One after the other: threads that wait for their next turn would disturb the single one.
    for count in sorted({1, int(threads)}):
        runner = Landmarker.load(model, count)
        times: list[float] = []
        stop = time.perf_counter() + _NETWORK
        while len(times) <= _WARM_UP or time.perf_counter() < stop:
            begin = time.perf_counter()
            runner.raw(pixels)
            times.append(time.perf_counter() - begin)
        network.append(1e3 * statistics.median(times[_WARM_UP:]))
    return {
        "update": 1e3 * statistics.median(counted),
        "fps": 1 / statistics.mean(counted),
        "faces": faces / len(updates),
        "network": network,
        "memory": int(peak[1]) / 1024 if peak else 0.0,
    }


def main() -> None:
    """Run the function named first on the command line, print its answer as one line."""
    name, *given = sys.argv[1:]
    try:
        answer = {"value": globals()[name](*given)}
    except Exception as error:
        answer = {"error": str(error) or type(error).__name__}
    print(json.dumps(answer), flush=True)
