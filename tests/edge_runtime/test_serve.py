"""The live page, over real sockets; in a real browser at the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from asmnet.core import IBUG68, WFLW98, Crop, UserError, rotation_from_euler
from asmnet.edge_runtime import Face, Frame, serve
from asmnet.edge_runtime.serve import PreviewServer
from asmnet.edge_runtime.sinks import record_line

aiohttp = pytest.importorskip("aiohttp", reason="the live page is an extra: asmnet[preview]")

STAGES = {"detect": 4.0, "network": 2.5}
# The slowest thing that may happen in a test that is to fail.
PATIENCE = 10


def picture(level: int, size: tuple[int, int] = (96, 128)) -> np.ndarray:
    return np.full((*size, 3), level, np.uint8)


def publish(server: PreviewServer, level: int, image: np.ndarray | None = None) -> None:
    """Show a picture of one grey level, whose frame number is that level."""
    image = picture(level) if image is None else image
    line = record_line(Frame(image, 0.1 * level, level, 10.0, "test"), [face(image)])
    server.publish(image, line, STAGES, fps=12.5)


def face(image: np.ndarray) -> Face:
    """68 points on a circle, the nose in its middle; it looks to the image's left and up."""
    height, width = image.shape[:2]
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=-1) * min(height, width) / 4
    ring[list(IBUG68.groups["nose"])] = 0
    landmarks = (ring + (width / 2, height / 2)).astype(np.float32)
    crop = Crop(width / 2, height / 2, height / 2)
    return Face(landmarks, np.array([31, 12, 0], np.float32), crop, 0.87, 3)


@pytest.fixture
def server() -> Iterator[PreviewServer]:
    with PreviewServer("0") as server:
        yield server


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads that encoded a picture."""
    threads: list[str] = []
    encode = cv2.imencode

    def counted(*arguments: Any) -> Any:
        threads.append(threading.current_thread().name)
        return encode(*arguments)

    monkeypatch.setattr(cv2, "imencode", counted)
    return threads


def port_of(server: PreviewServer) -> str:
    return server.url.partition("/?")[0].rstrip("/").rpartition(":")[2]


def local(server: PreviewServer) -> str:
    """The page's address without a token, for tests that have no network but this machine."""
    return f"http://127.0.0.1:{port_of(server)}/"


def play(story: Coroutine[Any, Any, Any]) -> None:
    """Run the viewers of a test."""

    async def patiently() -> None:
        await asyncio.wait_for(story, PATIENCE)

    asyncio.run(patiently())


@contextlib.asynccontextmanager
async def watching(server: PreviewServer, **headers: str) -> AsyncIterator[Any]:
    """A viewer that has had its welcome."""
    query = "".join(server.url.partition("?")[1:])
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{local(server)}live{query}", headers=headers) as viewer,
    ):
        assert (await viewer.receive_json())["nose"] == list(IBUG68.groups["nose"])
        yield viewer


async def fetch(viewer: Any) -> tuple[dict[str, Any], np.ndarray]:
    """The next frame: what is said about it, and its picture."""
    line = await viewer.receive_json()
    jpeg = await viewer.receive_bytes()
    return line, cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


async def ask(server: PreviewServer, path: str = "", **headers: str) -> tuple[int, str]:
    """HTTP status and text."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(local(server) + path, headers=headers) as answer,
    ):
        return answer.status, await answer.text()


def test_the_page_is_served_and_needs_nothing_from_elsewhere(server: PreviewServer):
    async def story() -> None:
        status, text = await ask(server)
        assert status == 200 and text == serve.PAGE.read_text(encoding="utf-8")
        assert not re.search(r"https?://|src=|@import|url\(", text)
        assert (await ask(server, "nothing"))[0] == 404

    play(story())


def test_a_viewer_gets_picture_and_record(server: PreviewServer, rng: np.random.Generator):
    image = cv2.GaussianBlur(rng.integers(0, 255, (96, 128, 3), np.uint8), None, 3)

    async def story() -> None:
        async with watching(server) as viewer:
            publish(server, 7, image)
            line, shown = await fetch(viewer)
            assert np.abs(shown.astype(int) - image).mean() < 4
            assert line["frame"] == 7 and line["size"] == [128, 96]
            assert (line["fps"], line["stages"], line["viewers"]) == (12.5, STAGES, 1)
            (found,) = line["faces"]
            assert found["id"] == 3 and len(found["landmarks"]) == 68

    play(story())


def test_the_welcome_tells_which_points_to_join():
    async def story() -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{server.url}live") as viewer,
        ):
            welcome = await viewer.receive_json()
            assert welcome["edges"] == [list(edge) for edge in WFLW98.edges]

    with PreviewServer("0", WFLW98) as server:
        play(story())


def test_large_pictures_are_scaled_down_but_not_their_coordinates(server: PreviewServer):
    async def story() -> None:
        async with watching(server) as viewer:
            publish(server, 90, picture(90, (1080, 1920)))
            line, shown = await fetch(viewer)
            assert shown.shape == (540, 960, 3) and line["size"] == [1920, 1080]

    play(story())


def test_whoever_comes_late_gets_the_latest_frame(server: PreviewServer):
    async def story() -> None:
        for level in range(5):
            publish(server, level)
        async with watching(server) as viewer:
            assert (await fetch(viewer))[0]["frame"] == 4

    play(story())


def test_without_viewers_nothing_is_encoded(server: PreviewServer, encoded: list[str]):
    for level in range(100):
        publish(server, level)
    play(ask(server))  # by now the server's thread had its turn
    assert encoded == []


def test_publishing_takes_microseconds_whoever_watches(server: PreviewServer):
    image = picture(1, (1080, 1920))
    line = record_line(Frame(image, 0.0, 0, 10.0, "test"), [])
    seconds = []

    async def story() -> None:
        async with watching(server), watching(server):
            for _ in range(300):
                start = time.perf_counter()
                server.publish(image, line, STAGES, fps=10.0)
                seconds.append(time.perf_counter() - start)
                await asyncio.sleep(0)

    play(story())
    assert sorted(seconds)[len(seconds) // 2] < 100e-6


def test_each_frame_is_encoded_once_and_not_by_the_tracker(
    server: PreviewServer, encoded: list[str]
):
    async def story() -> None:
        async with watching(server) as a, watching(server) as b, watching(server) as c:
            for level in (10, 20):
                publish(server, level)
                for viewer in (a, b, c):
                    line, shown = await fetch(viewer)
                    assert line["frame"] == level and shown.mean() == pytest.approx(level, abs=1)
                    assert line["viewers"] == server.viewers == 3
                    await viewer.send_str("drawn")

    play(story())
    assert encoded == ["preview", "preview"]


def test_a_slow_viewer_skips_frames_and_delays_nobody(server: PreviewServer):
    async def story() -> None:
        async with watching(server) as slow, watching(server) as quick:
            for level in range(1, 40):
                publish(server, level)
                assert (await fetch(quick))[0]["frame"] == level
                await quick.send_str("drawn")
            # It has fetched nothing yet: an early frame waits for it, then comes the last.
            assert (await fetch(slow))[0]["frame"] < 10
            await slow.send_str("drawn")
            assert (await fetch(slow))[0]["frame"] == 39

    play(story())


def test_a_viewer_that_reads_nothing_delays_nobody(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
):
    """It asks for ever more, until the network's buffers are full; nor does the end wait for it."""
    monkeypatch.setattr(serve, "QUALITY", 100)
    noise = rng.integers(0, 255, (960, 960, 3), np.uint8)

    async def story() -> None:
        async with watching(server) as quick:
            for level in range(30):
                stuck.sendall(b"\x81\x80\0\0\0\0")  # an empty message, masked with zeros
                start = time.perf_counter()
                publish(server, level, noise)
                assert time.perf_counter() - start < 0.5
                line = await quick.receive_json()
                await quick.receive_bytes()
                assert line["frame"] == level and line["viewers"] == 2
                await quick.send_str("drawn")

    with contextlib.ExitStack() as stack:
        with PreviewServer("0") as server:
            stuck = stack.enter_context(deaf_viewer(server))
            play(story())
            start = time.perf_counter()
        assert time.perf_counter() - start < 1.5


@contextlib.contextmanager
def deaf_viewer(server: PreviewServer) -> Iterator[socket.socket]:
    """A connection that was answered and then reads no more, with little room for what comes."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", int(port_of(server))))
        connection.sendall(
            b"GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        connection.settimeout(PATIENCE)
        assert connection.recv(12) == b"HTTP/1.1 101"
        yield connection


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Host": "[::1"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:1"},
        {"Origin": "null"},
    ],
)
def test_foreign_pages_are_refused(server: PreviewServer, headers: dict[str, str]):
    async def story() -> None:
        status, text = await ask(server, **headers)
        assert status == 403 and "not served to" in text
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            async with watching(server, **headers):
                pass

    play(story())


def test_its_own_page_is_let_in(server: PreviewServer):
    """Under each name of this machine, also through a tunnel from another port."""

    async def story() -> None:
        for host in ("localhost:9000", "127.0.0.1", "[::1]:80"):
            async with watching(server, Host=host, Origin=f"http://{host}"):
                pass

    play(story())


def test_beyond_this_machine_a_token_is_needed():
    async def story(server: PreviewServer) -> None:
        token = server.url.partition("?token=")[2]
        assert len(token) > 16
        for path in ("", "live", "?token=", "?token=wrong", "live?token=w%C3%B6ng"):
            status, text = await ask(server, path)
            assert status == 401 and token not in text
        assert (await ask(server, f"?token={token}"))[0] == 200
        publish(server, 5)
        async with watching(server) as viewer:
            assert (await fetch(viewer))[0]["frame"] == 5
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            async with watching(server, Origin="http://evil.example"):
                pass

    with PreviewServer("0.0.0.0:0") as server:
        assert "0.0.0.0" not in server.url  # what others can open
        play(story(server))


def has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


def test_addresses_are_understood():
    for address, url in {
        "0": r"http://127\.0\.0\.1:\d+/",
        "localhost:0": r"http://localhost:\d+/",
        "[::1]:0": r"http://\[::1\]:\d+/",
        "0.0.0.0:0": r"http://[\w.-]+:\d+/\?token=[\w-]{22}",
    }.items():
        if address.startswith("[") and not has_ipv6():
            continue
        with PreviewServer(address) as server:
            assert re.fullmatch(url, server.url)


@pytest.mark.parametrize("address", ["", "port", "127.0.0.1", "70000", "::1:80", "a b:80", "/:1"])
def test_a_malformed_address_is_one_sentence(address: str):
    with pytest.raises(UserError, match=f"cannot serve at {re.escape(repr(address))}; give a port"):
        PreviewServer(address)


def test_a_taken_port_and_a_foreign_host_are_one_sentence(server: PreviewServer):
    port = port_of(server)
    with pytest.raises(UserError, match=f"cannot serve at 127.0.0.1, port {port}: .* port 0"):
        PreviewServer(port)
    for host in ("192.0.2.1", "a" * 70):
        with pytest.raises(UserError, match=f"cannot serve at {host}, port 0: "):
            PreviewServer(f"{host}:0")


def test_without_aiohttp_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "aiohttp.web", None)
    with pytest.raises(UserError, match=r"pip install 'asmnet\[preview\]'"):
        PreviewServer("0")


def test_the_end_closes_viewers_and_frees_the_port():
    async def story(server: PreviewServer, stack: contextlib.ExitStack) -> None:
        async with watching(server) as viewer:
            publish(server, 1)
            await fetch(viewer)
            await asyncio.gather(asyncio.to_thread(stack.close), viewer.receive())
            assert viewer.close_code == 1001

    with contextlib.ExitStack() as stack:
        server = stack.enter_context(PreviewServer("0"))
        play(story(server, stack))
        assert server.viewers == 0
        assert "preview" not in [thread.name for thread in threading.enumerate()]
    with PreviewServer(port_of(server)) as again:
        assert again.url == server.url


# --- in a browser ---------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Any]:
    """Headless Chromium: a function that has it carry out a command of its debugging protocol."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs Chromium on the PATH to look at the page")
    # The sandbox does not work in containers, and this page is our own.
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    with subprocess.Popen(
        [program, *options, f"--user-data-dir={folder}", "about:blank"],
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            for text in process.stderr:
                if found := re.search(r"DevTools listening on ws://([^/]+)/", text):
                    break
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://{found[1]}/json") as answer:
                    (tab,) = (t for t in await answer.json() if t["type"] == "page")
                async with session.ws_connect(tab["webSocketDebuggerUrl"]) as debugger:

                    async def do(method: str, **parameters: Any) -> dict[str, Any]:
                        await debugger.send_json({"id": 1, "method": method, "params": parameters})
                        while "id" not in (message := await debugger.receive_json()):
                            pass
                        assert "exceptionDetails" not in message["result"], message
                        return message["result"]

                    yield do
        finally:
            process.terminate()


# Waits until all that is wanted is shown; the test's patience ends it otherwise.  Answers the
# page's text, and the colour in a corner and at places given in parts of the picture's height
# right of and below its centre.
LOOK = """new Promise(resolve => (function look() {
  const text = document.body?.innerText ?? "";
  if (!WANTED.every(word => text.includes(word))) return requestAnimationFrame(look);
  const canvas = document.querySelector("canvas"), [x, y] = [canvas.width / 2, canvas.height / 2];
  const colour = (x, y) => [...canvas.getContext("2d").getImageData(x, y, 1, 1).data].slice(0, 3);
  const colours = PLACES.map(([right, down]) => colour(x + right * 2 * y, y + down * 2 * y));
  resolve({text, corner: colour(5, 5), colours});
})())"""
RED, GREEN, BLUE = range(3)


def test_a_browser_shows_picture_face_and_numbers(tmp_path: Path):
    # The middles of the axes that are drawn, each 0.45 of the face's side long, which is half
    # the picture's height of 96; the nose is in the middle of a pixel.
    axes = rotation_from_euler(face(picture(0)).pose)[:2].T * (1, -1) * 0.45 / 4 + 0.5 / 96

    async def story() -> None:
        async with browser(tmp_path) as do:

            async def look(*wanted: str, places: np.ndarray = axes) -> dict[str, Any]:
                script = LOOK.replace("WANTED", json.dumps(wanted))
                script = script.replace("PLACES", json.dumps(places.tolist()))
                answer = await do(
                    "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
                )
                return answer["result"]["value"]

            async def press(key: str) -> None:
                await do("Input.dispatchKeyEvent", type="keyDown", key=key)

            with PreviewServer("0") as server:
                publish(server, 200)
                await do("Page.navigate", url=server.url)
                shown = await look("live", "face 3", "0.87", "+31°", "+12°", "0°", "13", "2.5")
                assert "viewers" in shown["text"] and "latency" not in shown["text"]
                assert shown["corner"] == pytest.approx([200] * 3, abs=2)
                assert np.argmax(shown["colours"], axis=1).tolist() == [RED, GREEN, BLUE]
                await press("m")
                shown = await look("live", places=axes * (-1, 1))
                assert np.argmax(shown["colours"], axis=1).tolist() == [RED, GREEN, BLUE]
                await press(" ")
                await look("paused")
                await press(" ")
                await look("live")
            await look("The program has ended or cannot be reached.")
            with PreviewServer(port_of(server)) as server:
                publish(server, 100)
                assert (await look("live"))["corner"] == pytest.approx([100] * 3, abs=2)

    play(story())
