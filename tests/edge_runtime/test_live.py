"""Cameras: the present and not the past, and back again after an outage."""

from __future__ import annotations

import http.server
import itertools
import threading
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from asmnet.core import UserError
from asmnet.edge_runtime import Frame, frames_from
from asmnet.edge_runtime.io import live, sources
from asmnet.edge_runtime.io.live import LatestFrames


class FakeCamera:
    """Delivers its frames' numbers as pictures, every `interval` seconds, `most` of them."""

    fps = 100.0

    def __init__(self, most: int = 10**9, interval: float = 0.005, times: object = None) -> None:
        self.most, self.interval, self.times = most, interval, times
        self.number = 0
        self.closed = threading.Event()

    def read(self) -> tuple[np.ndarray, float] | None:
        if self.number == self.most or self.closed.wait(self.interval):
            return None
        self.number += 1
        t = self.times(self.number) if callable(self.times) else self.number * self.interval
        return np.full((4, 4, 3), self.number % 256, np.uint8), t

    def close(self) -> None:
        self.closed.set()


def no_camera() -> FakeCamera:
    raise UserError("no camera")


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outages last as long as a test may."""
    monkeypatch.setattr(live, "STALL", 0.15)
    monkeypatch.setattr(live, "PATIENCE", 0.4)
    monkeypatch.setattr(live, "FIRST_PAUSE", 0.01)


def test_who_is_slow_sees_the_present():
    camera = FakeCamera()
    with LatestFrames("camera", camera, no_camera) as shots:
        seen = []
        for shot in itertools.islice(shots, 5):
            seen.append(shot)
            time.sleep(0.05)
            assert time.monotonic() - shot.captured < 0.2
    assert sum(shot.dropped for shot in seen[1:]) > 10
    numbers = [int(shot.image[0, 0, 0]) for shot in seen]
    # Counted are exactly those that were skipped.
    assert np.diff(numbers).tolist() == [shot.dropped + 1 for shot in seen[1:]]
    assert camera.closed.wait(1), "the camera was not given back"


def test_who_is_fast_sees_every_picture_once():
    taken = threading.Semaphore(1)

    class WaitingCamera(FakeCamera):
        """Delivers a picture once the one before is taken."""

        def read(self) -> tuple[np.ndarray, float] | None:
            assert taken.acquire(timeout=10)
            return super().read()

    seen: list[int] = []
    with LatestFrames("camera", WaitingCamera(20), no_camera, lambda: len(seen) == 20) as shots:
        for shot in shots:
            seen.append(int(shot.image[0, 0, 0]))
            assert shot.dropped == 0
            taken.release()
    assert seen == list(range(1, 21))


def test_a_camera_that_comes_and_goes_20_times(hasty: None):
    said: list[str] = []
    cameras = (FakeCamera(5) for _ in range(25))
    trials = itertools.count()

    def open_again() -> FakeCamera:
        if next(trials) % 3:  # found at every third trial
            raise UserError("no camera")
        return next(cameras)

    threads = threading.active_count()
    with LatestFrames("camera 0", FakeCamera(5), open_again, say=said.append) as shots:
        times = []
        for shot in shots:
            times.append(shot.t)
            if shots.reopened == 20:
                break
    assert (np.diff(times) >= 0).all()
    assert said[:2] == ["camera 0 is gone; looking for it", "camera 0 is back"]
    assert len(said) == 40
    deadline = time.monotonic() + 2
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == threads


def test_a_camera_that_stays_away_is_one_sentence(hasty: None):
    with LatestFrames("camera 3", FakeCamera(2), no_camera) as shots:
        with pytest.raises(UserError, match="camera 3 has been gone for .* plugged"):
            list(shots)


def test_a_camera_that_opens_but_delivers_nothing(hasty: None):
    with LatestFrames("camera 1", FakeCamera(0), lambda: FakeCamera(0)) as shots:
        with pytest.raises(UserError, match="camera 1 delivers no picture; does another program"):
            next(shots)
    # The same in the middle: it opens again and again, but it is not back.
    said: list[str] = []
    with LatestFrames("camera 1", FakeCamera(3), lambda: FakeCamera(0), say=said.append) as shots:
        with pytest.raises(UserError, match="camera 1 has been gone"):
            list(shots)
    assert said == ["camera 1 is gone; looking for it"]


def test_a_camera_that_hangs_is_left_behind(hasty: None):
    """Its thread cannot be killed, but its late pictures do not come through."""
    stuck = threading.Event()
    hanging = FakeCamera(3)
    read = hanging.read

    def hang() -> tuple[np.ndarray, float] | None:
        if hanging.number == 2:
            stuck.wait(5)
        return read()

    hanging.read = hang  # type: ignore[method-assign]
    others = FakeCamera(interval=0.02)
    others.number = 100
    with LatestFrames("camera", hanging, lambda: others) as shots:
        seen = []
        for shot in shots:
            seen.append(int(shot.image[0, 0, 0]))
            if len(seen) == 4:
                stuck.set()
            if len(seen) == 10:
                break
    assert seen[-1] > 100 and 3 not in seen


def test_waiting_can_be_stopped(hasty: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "PATIENCE", 60.0)
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    start = time.monotonic()
    with LatestFrames("camera", FakeCamera(1), no_camera, stop.is_set) as shots:
        assert len(list(shots)) == 1
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    "times",
    [
        lambda n: 0.0,
        lambda n: -n * 1.0,
        lambda n: 1e9 + 0.005 * n,
        lambda n: 0.005 * n + 99 * (n > 9),
    ],
    ids=["none", "backwards", "since 1990", "a jump"],
)
def test_times_grow_with_the_clock_whatever_the_driver_says(times: Callable[[int], float]):
    with LatestFrames("camera", FakeCamera(times=times), no_camera) as shots:
        seen = list(itertools.islice(shots, 30))
    t = np.array([shot.t for shot in seen])
    arrived = np.array([shot.captured for shot in seen])
    assert t[0] == 0 and (np.diff(t) >= 0).all()
    assert np.abs(t - (arrived - arrived[0])).max() < 0.5


def test_the_cameras_clock_is_steadier_than_threads():
    def late() -> Iterator[float]:
        rng = np.random.default_rng(0)
        while True:
            yield float(rng.uniform(0, 0.02))

    camera, delays = FakeCamera(interval=0.0), late()
    read = camera.read

    def read_late() -> tuple[np.ndarray, float] | None:
        time.sleep(next(delays))
        shot = read()
        return None if shot is None else (shot[0], camera.number / 100)

    camera.read = read_late  # type: ignore[method-assign]
    with LatestFrames("camera", camera, no_camera) as shots:
        seen = list(itertools.islice(shots, 30))
    if not any(shot.dropped for shot in seen):
        np.testing.assert_allclose(np.diff([shot.t for shot in seen]), 0.01, atol=1e-6)


@pytest.mark.parametrize(
    ("source", "which", "name"),
    [
        ("3", 3, "camera 3"),
        ("/dev/video12", 12, "camera 12"),
        ("picamera", 0, "picamera 0"),
        ("picamera:2", 2, "picamera 2"),
        ("rtsp://10.0.0.9/live", "rtsp://10.0.0.9/live", "rtsp://10.0.0.9/..."),
    ],
)
def test_each_kind_of_camera_comes_back_says_so_and_can_be_stopped(
    source: str, which: object, name: str, hasty: None, monkeypatch: pytest.MonkeyPatch
):
    opened: list[object] = []
    said: list[str] = []
    seen: list[Frame] = []

    def open_camera(given: object) -> FakeCamera:
        opened.append(given)
        return FakeCamera(2)

    kind = "open_picamera" if source.startswith("pi") else "open_capture"
    monkeypatch.setattr(sources, kind, open_camera)
    for frame in frames_from(source, lambda: len(seen) >= 4, said.append):
        seen.append(frame)
    assert [frame.index for frame in seen] == list(range(len(seen)))
    assert {(frame.name, frame.live, frame.fps) for frame in seen} == {(name, True, 100.0)}
    assert said[:2] == [f"{name} is gone; looking for it", f"{name} is back"]
    assert opened[:2] == [which, which]


def test_a_live_frame_tells_when_it_arrived_and_what_was_dropped(monkeypatch: pytest.MonkeyPatch):
    camera = FakeCamera()
    monkeypatch.setattr(sources, "open_capture", lambda number: camera)
    source = frames_from("0")
    start = time.monotonic()
    first = next(source)
    while camera.number < 5:
        time.sleep(0.01)
    second = next(source)
    source.close()
    assert start <= first.captured < second.captured <= time.monotonic()
    numbers = [int(frame.image[0, 0, 0]) for frame in (first, second)]
    assert numbers[1] - numbers[0] == second.dropped + 1 > 1


class _Stream(http.server.BaseHTTPRequestHandler):
    """Motion JPEG, as IP cameras send it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace;boundary=frame")
        self.end_headers()
        server: StreamServer = self.server  # type: ignore[assignment]
        server.viewers += 1
        try:
            for number in range(server.most):
                picture = np.full((48, 64, 3), number % 25 * 10, np.uint8)
                jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
                time.sleep(0.01)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


class StreamServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    most, viewers = 10**9, 0


@pytest.fixture
def stream() -> Iterator[StreamServer]:
    """A camera on the network; `most` frames a connection."""
    with StreamServer(("127.0.0.1", 0), _Stream) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def url(server: StreamServer) -> str:
    return f"http://127.0.0.1:{server.server_port}/camera.mjpg"


def test_a_network_camera_is_live_and_comes_back(stream: StreamServer, hasty: None):
    stream.most = 60  # then it hangs up
    said: list[str] = []
    frames: list[Frame] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "PATIENCE", 10.0)
        patch.setattr(live, "STALL", 2.0)
        source = frames_from(url(stream), say=said.append)
        for frame in source:
            frames.append(frame)
            if "is back" in " ".join(said) and len(frames) > 5:
                break
        source.close()
    assert all(frame.live and frame.image.shape == (48, 64, 3) for frame in frames)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert stream.viewers >= 2
    assert "is gone" in said[0] and "is back" in said[1]


def test_a_stream_is_named_by_its_host(stream: StreamServer):
    source = frames_from(url(stream).replace("//", "//me:secret@") + "?token=secret")
    frame = next(source)
    source.close()
    assert frame.name == f"http://127.0.0.1:{stream.server_port}/..."
