"""The preview window, with an OpenCV that has windows."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click
import cv2
import numpy as np

from asmnet.core import Scheme
from asmnet.edge_runtime.drawing import draw, mirrored, text_block
from asmnet.edge_runtime.io.closing import Closing
from asmnet.edge_runtime.io.sources import Frame
from asmnet.edge_runtime.landmarker import Face

__all__ = ["Window", "can_show"]

_TITLE = "ASMNet: q or Esc quits, m mirrors, space pauses"
# Of the picture's shape, without Qt's row of buttons.
_KIND = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL


class Window(Closing):
    """Shows frames with their faces.  Cameras are mirrored, as people expect of themselves.

    Keys: q or Esc quits, m mirrors, space pauses.
    """

    def __init__(self, scheme: Scheme) -> None:
        self._scheme = scheme
        self._mirror: bool | None = None
        self._open = True
        cv2.namedWindow(_TITLE, _KIND)

    def show(self, frame: Frame, faces: Sequence[Face], text: str) -> None:
        """Show a frame, its faces, and a line of text; answer the keys."""
        if self._mirror is None:
            self._mirror = frame.live
            height, width = frame.image.shape[:2]
            scale = min(1.0, 1280 / width, 720 / height)
            cv2.resizeWindow(_TITLE, round(width * scale), round(height * scale))
        if self._mirror:
            picture = np.ascontiguousarray(frame.image[:, ::-1])
            faces = [mirrored(face, picture.shape[1]) for face in faces]
        else:
            picture = frame.image.copy()
        draw(picture, faces, self._scheme)
        text_block(picture, [text], (0, 0))
        cv2.imshow(_TITLE, picture)
        self.is_open()

    def is_open(self) -> bool:
        """Answer the keys; False once the user has quit."""
        key = cv2.waitKey(1) & 0xFF
        if key == ord(" "):  # until any other key
            while key in (ord(" "), 255) and self._visible():
                key = cv2.waitKey(50) & 0xFF
        if key == ord("m"):
            self._mirror = not self._mirror
        self._open = self._open and key not in (ord("q"), 27) and self._visible()
        return self._open

    def _visible(self) -> bool:
        return cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) >= 1

    def close(self) -> None:
        """Close the window."""
        cv2.destroyAllWindows()


def can_show() -> bool:
    """Whether a window can open; says why not."""
    # Without a display some OpenCV builds end the process instead of raising.
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        click.echo("no display: running without a window", err=True)
        return False
    try:
        cv2.namedWindow(_TITLE, _KIND)
        return True
    except cv2.error:
        click.echo(
            "this OpenCV cannot open windows: running without one "
            "(pip uninstall opencv-python-headless; pip install opencv-python)",
            err=True,
        )
        return False
