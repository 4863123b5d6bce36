"""Viewers of the live page, for its tests: what is published, and how it is fetched."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any

import cv2
import numpy as np
import pytest

from asmnet.core import IBUG68, Crop, Event
from asmnet.edge_runtime import Face, Frame
from asmnet.edge_runtime.io.serve import PreviewServer
from asmnet.edge_runtime.io.sinks import record_line

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
    """68 points on a circle, the nose in its middle; looks to the image's left and up, blinked."""
    height, width = image.shape[:2]
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=-1) * min(height, width) / 4
    ring[list(IBUG68.groups["nose"])] = 0
    landmarks = (ring + (width / 2, height / 2)).astype(np.float32)
    crop = Crop(width / 2, height / 2, height / 2)
    return Face(
        landmarks,
        np.array([31, 12, 0], np.float32),
        crop,
        score=0.87,
        id=3,
        position=np.array([52, -20, 604]),
        eyes=np.array([0.91, 1]),
        mouth=0.25,
        events=(Event("blink", 0.1, 0.3),),
    )


def port_of(server: PreviewServer) -> str:
    return server.url.partition("/?")[0].rstrip("/").rpartition(":")[2]


def local(server: PreviewServer) -> str:
    """The page's address without a token, for tests that have no network but this machine."""
    return f"http://127.0.0.1:{port_of(server)}/"


def play(story: Coroutine[Any, Any, Any], patience: float = PATIENCE) -> None:
    """Run the viewers of a test, for so many seconds at most."""

    async def patiently() -> None:
        await asyncio.wait_for(story, patience)

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
