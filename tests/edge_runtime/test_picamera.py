"""The Raspberry Pi's camera, through a picamera2 of our own: no Raspberry Pi is at hand."""

from __future__ import annotations

import itertools
import sys
import time
import types

import numpy as np
import pytest

from asmnet.core import UserError
from asmnet.edge_runtime import frames_from


def test_its_frames_have_the_sensors_time(monkeypatch: pytest.MonkeyPatch):
    calls: list[object] = []

    class Request:
        def get_metadata(self) -> dict[str, int]:
            return {"SensorTimestamp": 5 * 10**9 + len(calls) * 33_000_000}

        def make_array(self, name: str) -> np.ndarray:
            assert name == "main"
            return np.full((480, 640, 3), 7, np.uint8)

        def release(self) -> None:
            calls.append("released")

    class Picamera2:
        def __init__(self, number: int) -> None:
            if number > 0:
                raise IndexError("list index out of range")

        def create_video_configuration(self, main: dict, controls: dict) -> dict:
            return main | controls

        def configure(self, configuration: dict) -> None:
            calls.append(configuration)

        def start(self) -> None: ...

        def capture_request(self) -> Request:
            time.sleep(0.005)
            return Request()

        def stop(self) -> None: ...

        def close(self) -> None: ...

    module = types.ModuleType("picamera2")
    module.Picamera2 = Picamera2  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "picamera2", module)
    source = frames_from("picamera")
    first, second = itertools.islice(source, 2)
    source.close()
    assert calls[0] == {"size": (640, 480), "format": "RGB888", "FrameRate": 30.0}
    assert first.live and first.name == "picamera 0" and (first.image == 7).all()
    assert second.t > first.t
    with pytest.raises(UserError, match="no Raspberry Pi camera 1"):
        frames_from("picamera:1")


def test_without_picamera2_the_remedy_is_told():
    with pytest.raises(UserError, match="sudo apt install python3-picamera2"):
        frames_from("picamera")
