"""A video's frames for the JVM's commands: PPM pictures one after another.

    python android_demo/tests/frames.py [VIDEO] | python android_demo/tools/jvm.py Run ...

with `--frames -`.  Without a name it is the sample clip.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import cv2
import numpy as np

from asmnet import samples


def clip(every: int = 1, video: str = str(samples.CLIP)) -> Iterator[np.ndarray]:
    """Each `every`-th frame of a video, (H, W, 3) uint8 BGR."""
    capture = cv2.VideoCapture(video)
    index = 0
    while capture.grab():
        if index % every == 0:
            yield capture.retrieve()[1]
        index += 1


def ppm(frame: np.ndarray) -> bytes:
    """A frame (H, W, 3) uint8 BGR as a PPM."""
    header = b"P6 %d %d 255\n" % (frame.shape[1], frame.shape[0])
    return header + cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).tobytes()


if __name__ == "__main__":
    for frame in clip(1, *sys.argv[1:]):
        sys.stdout.buffer.write(ppm(frame))
