"""What against_mediapipe.py compares: our tracker and MediaPipe's, to be used alike.

    python bench/contenders.py NAME TASK FRAMES HEIGHT WIDTH
    python bench/contenders.py clips TASK VIDEO...

Each imports its libraries when it is made, so that a process with one of them holds nothing of
the other.  Run as a program, one of them alone follows the face in FRAMES (raw BGR, one after
the other) and prints when it had its first result, in seconds since the epoch, and the
process's resident memory after the last frame and at its peak, in MB.  With `clips`, MediaPipe
decodes and follows whole videos on one core, and prints frames a second.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["MEDIAPIPE", "MEDIAPIPE_POSE", "Asmnet", "MediaPipe", "contender"]

MEDIAPIPE, MEDIAPIPE_POSE = "mediapipe", "mediapipe with pose"
# Points that iBUG's 68 and MediaPipe's mesh both define: the corners of the eyes and of the
# mouth, outer and inner; the middle of the lips' four edges; the nose, its tip and below it.
IBUG = [36, 39, 42, 45, 48, 54, 60, 64, 51, 62, 66, 57, 30, 33]
MESH = [33, 133, 362, 263, 61, 291, 78, 308, 0, 13, 14, 17, 1, 2]


class Asmnet:
    """Our tracker, following one face."""

    def __init__(self, model: str) -> None:
        from asmnet.edge_runtime import FaceTracker

        self._tracker = FaceTracker.load(model)
        self._invoke = self._tracker.landmarker._network.interpreter.invoke

    def prepare(self, frame: np.ndarray, t: float) -> tuple[np.ndarray, float]:
        """What `update` takes: OpenCV's frame as it is."""
        return frame, t

    def update(self, image: np.ndarray, t: float) -> Any:
        """The faces in the next frame."""
        return self._tracker.update(image, t)

    def points(self, faces: Any, shape: tuple[int, ...]) -> np.ndarray | None:
        """(14, 2) pixels that can be compared; None without a face."""
        if not faces:
            return None
        from asmnet.core import IBUG68, to_scheme

        return to_scheme(faces[0].landmarks, IBUG68)[IBUG]

    def invoke(self) -> None:
        """Nothing but the network, on the crop of the last update."""
        self._invoke()

    def close(self) -> None:
        """Nothing to do."""


class MediaPipe:
    """MediaPipe's Face Landmarker, following one face on the CPU.

    It smooths its points when it follows a single face.  Blend shapes are off, and so is the
    head's pose unless it is asked for.
    """

    def __init__(self, task: str, pose: bool) -> None:
        import cv2
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision

        self._image, self._rgb = mediapipe.Image, mediapipe.ImageFormat.SRGB
        self._convert, self._order = cv2.cvtColor, cv2.COLOR_BGR2RGB
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(task, delegate=BaseOptions.Delegate.CPU),
            running_mode=vision.RunningMode.VIDEO,
            num_faces=1,
            output_facial_transformation_matrixes=pose,
        )
        self._landmarker = vision.FaceLandmarker.create_from_options(options)

    def prepare(self, frame: np.ndarray, t: float) -> tuple[Any, int]:
        """What `update` takes: RGB in an image of its own kind, and milliseconds."""
        rgb = self._convert(frame, self._order)
        return self._image(image_format=self._rgb, data=rgb), round(1e3 * t)

    def update(self, image: Any, t: int) -> Any:
        """The face in the next frame."""
        return self._landmarker.detect_for_video(image, t)

    def points(self, result: Any, shape: tuple[int, ...]) -> np.ndarray | None:
        """(14, 2) pixels that can be compared; None without a face."""
        if not result.face_landmarks:
            return None
        mesh = result.face_landmarks[0]
        return np.array([(mesh[i].x * shape[1], mesh[i].y * shape[0]) for i in MESH])

    def close(self) -> None:
        """End its threads: at the interpreter's end it would stumble over missing modules."""
        self._landmarker.close()


def contender(name: str, task: str) -> Asmnet | MediaPipe:
    """The one that is called so: one of MediaPipe's settings, or one of our models."""
    if name in (MEDIAPIPE, MEDIAPIPE_POSE):
        return MediaPipe(task, pose=name == MEDIAPIPE_POSE)
    return Asmnet(name)


def _alone(name: str, task: str, frames: str, height: int, width: int) -> None:
    one, first = contender(name, task), 0.0
    # Read one by one: only the frame at hand is in memory.
    with open(frames, "rb") as file:
        for number in range(Path(frames).stat().st_size // (height * width * 3)):
            frame = np.frombuffer(file.read(height * width * 3), np.uint8)
            one.update(*one.prepare(frame.reshape(height, width, 3), number / 25))
            first = first or time.time()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").open())
    one.close()
    print(first, *(float(status[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM")))


def _clips(task: str, videos: list[str]) -> None:
    os.environ["OPENCV_FFMPEG_THREADS"] = "1"
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import cv2

    start, count = time.perf_counter(), 0
    for video in videos:
        capture, number = cv2.VideoCapture(video), 0
        one = MediaPipe(task, pose=False)  # a new one for each video, for its clock goes on only
        while (read := capture.read())[0]:
            one.update(*one.prepare(read[1], number / 25))
            number += 1
        one.close()
        count += number
    print(count / (time.perf_counter() - start))


# Without a library for the command line, which would count as the contender's memory.
if __name__ == "__main__":
    if sys.argv[1:] in ([], ["--help"]):
        print(__doc__)
    elif sys.argv[1] == "clips":
        _clips(sys.argv[2], sys.argv[3:])
    else:
        contender_name, task_file, frames_file, height, width = sys.argv[1:]
        _alone(contender_name, task_file, frames_file, int(height), int(width))
