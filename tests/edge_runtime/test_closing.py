"""What is open can be closed: by a `with` block or by name, once or twice, used or not."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asmnet.core import IBUG68
from asmnet.edge_runtime import Frame, frames_from
from asmnet.edge_runtime.io import sources
from asmnet.edge_runtime.io.recorder import Recorder
from asmnet.edge_runtime.io.senders import UdpSender
from asmnet.edge_runtime.io.sinks import CsvWriter, JsonlWriter


class Still:
    """A camera that always delivers the same picture."""

    fps = 30.0

    def __init__(self) -> None:
        self.closed = False

    def read(self) -> tuple[np.ndarray, float]:
        return np.zeros((4, 4, 3), np.uint8), 0.0

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Still:
    """What opens as camera 0."""
    camera = Still()
    monkeypatch.setattr(sources, "open_capture", lambda number: camera)
    return camera


def test_a_camera_that_nobody_read_is_given_back(camera: Still) -> None:
    with frames_from(0):
        assert not camera.closed
    assert camera.closed


def test_a_camera_is_given_back_when_its_frames_are_left(camera: Still) -> None:
    with frames_from(0) as frames:
        assert next(frames).live
    deadline = time.monotonic() + 5  # its own thread closes it
    while not camera.closed and time.monotonic() < deadline:
        time.sleep(0.01)
    assert camera.closed and list(frames) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: JsonlWriter(folder / "a.jsonl"),
        lambda folder: CsvWriter(folder / "a.csv", 68),
        lambda folder: Recorder(folder / "a.mp4"),
        lambda folder: UdpSender("127.0.0.1:9"),
        lambda folder: frames_from("demo"),
    ],
    ids=["jsonl", "csv", "recorder", "udp", "frames"],
)
def test_closing_twice_is_no_error(make: Callable, tmp_path: Path) -> None:
    opened = make(tmp_path)
    opened.close()
    with opened:
        pass


def test_a_recording_is_whole_once_it_is_closed(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mp4")
    for k in range(20):
        picture = np.full((64, 64, 3), 10 * k, np.uint8)
        recorder.write(picture, Frame(picture, k / 20, k, 20.0, "a"))
    recorder.close()
    assert sum(1 for _ in frames_from(tmp_path / "a.mp4")) == 20


def test_a_server_that_never_served_gives_its_port_back() -> None:
    serve = pytest.importorskip("asmnet.edge_runtime.io.serve")
    server = serve.PreviewServer("0", IBUG68)
    port = int(server.url.rpartition(":")[2].strip("/"))
    server.close()
    with socket.create_server(("127.0.0.1", port)):
        pass
