"""The live page, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import resource
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from viewers import PATIENCE, STAGES, ask, fetch, picture, play, port_of, publish, watching

from asmnet.core import WFLW98, UserError
from asmnet.edge_runtime import Frame
from asmnet.edge_runtime.io import serve
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


def connect(server: PreviewServer, text: bytes = b"") -> socket.socket:
    """A connection that has sent this, and waits at most as long as a test may take."""
    connection = socket.create_connection(("127.0.0.1", int(port_of(server))), PATIENCE)
    connection.sendall(text)
    return connection


def closed_by_now(connection: socket.socket) -> bool:
    """Read to the connection's end; False if it does not come in a second."""
    connection.settimeout(1)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


ASK = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
WATCH = (
    b"GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@pytest.mark.parametrize("said", [b"", b"GET / HT", ASK[:-2], ASK + b"GET"], ids=repr)
def test_who_does_not_ask_in_time_is_closed(said: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serve, "DEADLINE", 0.2)
    with PreviewServer("0") as server, connect(server, said) as connection:
        assert closed_by_now(connection)


def test_who_asks_letter_by_letter_is_closed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serve, "DEADLINE", 0.2)
    with PreviewServer("0") as server, connect(server) as connection:
        with pytest.raises(OSError):
            for _ in range(100):
                connection.sendall(b"X")
                time.sleep(0.02)


def test_viewers_stay(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serve, "DEADLINE", 0.2)

    async def story() -> None:
        async with watching(server) as viewer:
            await asyncio.sleep(0.6)
            publish(server, 3)
            assert (await fetch(viewer))[0]["frame"] == 3

    with PreviewServer("0") as server:
        play(story())


def test_silent_connections_keep_nobody_out(server: PreviewServer):
    async def story() -> None:
        async with watching(server) as viewer:
            publish(server, 9)
            assert (await fetch(viewer))[0]["frame"] == 9

    before = open_files()
    with contextlib.ExitStack() as stack:
        no_progress = [
            stack.enter_context(connect(server)) for _ in range(3 * serve.MOST_STRANGERS)
        ]
        play(story())
        assert closed_by_now(no_progress[0])
        # Both ends of each connection are in this process.
        assert open_files() - before - len(no_progress) <= serve.MOST_STRANGERS + 2


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_viewers_are_limited(server: PreviewServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serve, "MOST_VIEWERS", 2)

    async def story() -> None:
        async with watching(server), watching(server):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
                async with watching(server):
                    pass
        async with watching(server):
            pass

    play(story())


def test_out_of_file_handles_it_waits_and_says_nothing(
    server: PreviewServer, caplog: pytest.LogCaptureFixture
):
    _, most = before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as patient, contextlib.ExitStack() as stack:
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files() + 8, most))
        try:
            with pytest.raises(OSError, match="Too many open files"):
                while True:
                    stack.enter_context(open(os.devnull))
            patient.connect(("127.0.0.1", int(port_of(server))))
            patient.sendall(ASK)
            time.sleep(3 * serve.RECOVERY)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        stack.close()
        patient.settimeout(PATIENCE)
        assert patient.recv(12) == b"HTTP/1.1 200"
    assert printed(caplog) == []


def test_a_viewer_that_gives_no_sign_of_life_is_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serve, "HEARTBEAT", 0.2)
    with PreviewServer("0") as server, deaf_viewer(server):
        time.sleep(0.1)
        assert server.viewers == 1
        time.sleep(0.5)
        assert server.viewers == 0


def test_the_end_of_a_viewer_that_reads_nothing_frees_its_connection(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
):
    """What waits to be sent to it would keep the connection open for as long as it likes."""
    monkeypatch.setattr(serve, "QUALITY", 100)
    monkeypatch.setattr(serve, "DEADLINE", 0.4)
    noise = rng.integers(0, 255, (960, 960, 3), np.uint8)
    with PreviewServer("0") as server:
        before = open_files()
        with deaf_viewer(server) as stuck:
            deadline = time.monotonic() + PATIENCE
            while server.viewers == 0:
                assert time.monotonic() < deadline
            while server.viewers == 1:
                assert time.monotonic() < deadline
                publish(server, 1, noise)
                with contextlib.suppress(OSError):
                    stuck.sendall(b"\x81\x80\0\0\0\0")
                time.sleep(0.02)
            time.sleep(0.2)
            assert open_files() == before + 1  # our own end


MALFORMED = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": bytes.fromhex("16030100a5010000a10303"),
    "zeros": bytes(100),
    "huge header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    "two lengths": ASK[:-2] + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
    "no gzip": ASK.replace(b"GET", b"POST")[:-2]
    + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde",
    "no websocket": WATCH.replace(b"AAAA==", b"AA"),
    "no frame": WATCH + b"\xff" * 64,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_proper_request_prints_nothing(
    name: str, server: PreviewServer, caplog: pytest.LogCaptureFixture
):
    with connect(server, MALFORMED[name]) as connection:
        assert closed_by_now(connection)
    assert printed(caplog) == []
    play(ask(server))


def printed(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What Python prints of the log where nobody has set it up."""
    return [record.message for record in caplog.records if record.levelno >= logging.WARNING]


def test_who_leaves_before_the_answer_is_no_news(
    server: PreviewServer, caplog: pytest.LogCaptureFixture
):
    async def story() -> None:
        def gone(request: object) -> None:
            raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

        server._admit = gone  # type: ignore[method-assign]
        with contextlib.suppress(aiohttp.ClientError):
            await ask(server)

    play(story())
    assert printed(caplog) == []


def test_our_own_mistakes_are_still_told(server: PreviewServer, caplog: pytest.LogCaptureFixture):
    async def story() -> None:
        server._admit = lambda request: 1 // 0  # type: ignore[method-assign, assignment]
        assert (await ask(server))[0] == 500

    play(story())
    assert "ZeroDivisionError" in caplog.text


TOKENS = st.sampled_from(
    [b"GET", b"POST", b"CONNECT", b" ", b"/", b"/live", b"*", b"?token=%ff", b"HTTP/1.1",
     b"HTTP/9.9", b"\r\n", b"\n", b"Host: localhost", b"Host:", b"Upgrade: websocket",
     b"Connection: Upgrade", b"Content-Length: -1", b"Transfer-Encoding: chunked", b"Origin: [",
     b"Expect: x", b"Content-Encoding: br", b"http://[::1", b"\0", b"zz\r\n", b"\xff"]
)  # fmt: skip


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(TOKENS | st.binary(max_size=8), max_size=12),
    start=st.sampled_from([b"", ASK[:-2], WATCH]),
)
def test_no_request_prints_anything(
    parts: list[bytes], start: bytes, server: PreviewServer, caplog: pytest.LogCaptureFixture
):
    with connect(server) as connection:
        connection.sendall(start + b"".join(parts) + b"\r\n\r\n")
        connection.settimeout(0.02)
        with contextlib.suppress(OSError):
            connection.recv(65536)
    assert printed(caplog) == []
