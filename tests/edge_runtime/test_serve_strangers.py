"""The live page among silent, greedy and malformed connections."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from viewers import PATIENCE, ask, deaf_viewer, fetch, play, port_of, publish, watching

from asmnet.edge_runtime.io import published_frame, serve
from asmnet.edge_runtime.io.serve import PreviewServer

aiohttp = pytest.importorskip("aiohttp", reason="the live page is an extra: asmnet[preview]")


@pytest.fixture
def server() -> Iterator[PreviewServer]:
    with PreviewServer("0") as server:
        yield server


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
            stack.enter_context(connect(server)) for _ in range(3 * serve.MOST_NOT_JOINED)
        ]
        play(story())
        assert closed_by_now(no_progress[0])
        # Both ends of each connection are in this process.
        assert open_files() - before - len(no_progress) <= serve.MOST_NOT_JOINED + 2


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
    monkeypatch.setattr(published_frame, "QUALITY", 100)
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
    "an expectation that is no text": ASK[:-2] + b"Expect: \xff\r\n\r\n",
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

        server._admit = gone  # type: ignore[assignment]
        with contextlib.suppress(aiohttp.ClientError):
            await ask(server)

    play(story())
    assert printed(caplog) == []


def test_our_own_mistakes_are_still_told(server: PreviewServer, caplog: pytest.LogCaptureFixture):
    async def story() -> None:
        server._admit = lambda request: 1 // 0  # type: ignore[assignment]
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
