"""The live page, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from viewers import (
    STAGES,
    ask,
    deaf_viewer,
    fetch,
    picture,
    play,
    port_of,
    publish,
    watching,
)

from asmnet.core import WFLW98, UserError
from asmnet.edge_runtime import Frame
from asmnet.edge_runtime.io import published_frame, serve
from asmnet.edge_runtime.io.serve import PreviewServer
from asmnet.edge_runtime.io.sinks import record_line

aiohttp = pytest.importorskip("aiohttp", reason="the live page is an extra: asmnet[preview]")


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


def test_a_picture_one_pixel_wide_is_shown(server: PreviewServer):
    async def story() -> None:
        async with watching(server) as viewer:
            publish(server, 90, picture(90, (5000, 1)))
            assert (await fetch(viewer))[1].shape == (960, 1, 3)

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
    monkeypatch.setattr(published_frame, "QUALITY", 100)
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
