"""Where a video goes on with another scene."""

from __future__ import annotations

import numpy as np

from asmnet.edge_runtime.tracking.association import correlation, zscore

__all__ = ["SceneCutDetector"]

# A cut: the whole picture correlates less than this with the frame before, which no pan
# does while a face stays in the picture.
CUT_CORRELATION = 0.15


class SceneCutDetector:
    """Compares each frame with the one before, both seen as about 16 lines of green."""

    def __init__(self) -> None:
        self._seen: np.ndarray | None = None

    def is_cut(self, frame: np.ndarray) -> bool:
        """Whether this is another picture altogether than the frame before.

        Tracks end there: a new face at the old place is not the old one.

        Args:
            frame: (H, W, 3) uint8 BGR, of one size from call to call.
        """
        height, width = frame.shape[:2]
        seen = zscore(frame[:: max(1, height // 16), :: max(1, width // 16), 1])
        before, self._seen = self._seen, seen
        return before is not None and correlation(seen, before) < CUT_CORRELATION
