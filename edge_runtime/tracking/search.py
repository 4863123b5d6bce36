"""When, where and with which detector a tracker searches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from asmnet.core import Crop
from asmnet.edge_runtime.detector import Detection, FaceDetector, iou
from asmnet.edge_runtime.timing import Stopwatch
from asmnet.edge_runtime.tracking.association import search_regions, square_box
from asmnet.edge_runtime.tracking.tracks import Track

__all__ = ["DETECT_SCALE", "FaceSearch"]

# Searches follow each other ever more slowly while there is nothing to find, up to this many
# seconds apart.
SEARCH_PAUSE = 0.1
# Seconds between them while some faces are followed and more could come.
SEARCH_MORE = 0.15
# Close up, the detector searches this many times the face's box.
DETECT_SCALE = 2.0


class FaceSearch:
    """Looks for faces in the whole picture, and close up for one.

    A second detector, slower, finds the turned faces that the first one misses.  The two take
    turns: no frame waits for both, but the first of a video, which may be all there is.

    Args:
        detector: finds faces.
        turned: finds faces that `detector` misses, above all turned ones; None does without.
        stopwatch: measures the stage `detect`.
    """

    def __init__(
        self, detector: FaceDetector, turned: FaceDetector | None, stopwatch: Stopwatch
    ) -> None:
        self.detector = detector
        self.turned = turned
        self._stopwatch = stopwatch
        self.reset()

    def reset(self) -> None:
        """The next frame is the first of a video."""
        self._turn = 0
        self.search_now(-np.inf)

    def search_now(self, t: float) -> None:
        """Search at time `t`, and often from then on."""
        self._next, self._pause = t, 0.0

    def is_due(self, t: float) -> bool:
        """Whether it is time to search again."""
        return t >= self._next

    def answers(
        self, frame: np.ndarray, t: float, tracks: Sequence[Track]
    ) -> Iterator[tuple[list[Detection], bool]]:
        """Faces in the picture, and whether the detector of turned faces found them.

        Args:
            frame: uint8 BGR (H, W, 3).
            t: seconds.
            tracks: what is followed; the second answer takes into account what joined since
                the first.
        """
        self._turn += 1
        if self.turned is None:
            yield self._look(frame, self._turn, tracks), False
        else:
            if self._turn % 2:
                yield self._look(frame, self._turn // 2, tracks), False
            if self._turn % 2 == 0 or (self._turn == 1 and not tracks):
                yield self._detect(frame, None, turned=True), True
        self._pause = min(2 * self._pause + 0.01, SEARCH_PAUSE)
        self._next = t + (SEARCH_MORE if tracks else self._pause)

    def _look(self, frame: np.ndarray, turn: int, tracks: Sequence[Track]) -> list[Detection]:
        """What the first detector finds in the whole picture or one of its regions."""
        regions = search_regions(frame)
        if tracks:  # nothing is urgent: one region a frame
            return self._detect(frame, regions[turn % len(regions)])
        found = self._detect(frame, None)
        if not found and len(regions) > 1:
            found = self._detect(frame, regions[1 + turn % (len(regions) - 1)])
        return found

    def near(
        self,
        frame: np.ndarray,
        box: np.ndarray,
        threshold: float,
        turned: bool,
        others: Sequence[Track],
    ) -> Detection | None:
        """The face in one place, searched close up.

        Args:
            frame: uint8 BGR (H, W, 3).
            box: (4,) left, top, right, bottom of the place.
            threshold: least score.
            turned: ask the detector of turned faces, if there is one.
            others: tracks that follow other faces; what fits one of them better is not it.
        """
        x, y = (box[:2] + box[2:]) / 2
        region = Crop(float(x), float(y), float(max((box[2:] - box[:2]).max(), 8) * DETECT_SCALE))
        boxes = np.array([other.box for other in others]).reshape(-1, 4)
        best, most = None, 0.2
        for found in self._detect(frame, region, threshold, turned):
            here = square_box(found.to_crop(1.0))
            overlap = float(iou(here, box[None])[0])
            if overlap > most and not (iou(here, boxes) > overlap).any():
                best, most = found, overlap
        return best

    def _detect(
        self, frame: np.ndarray, region: Crop | None, threshold: float = 0.5, turned: bool = False
    ) -> list[Detection]:
        with self._stopwatch("detect"):
            detector = self.turned if turned and self.turned else self.detector
            return detector.detect(frame, region, threshold)
