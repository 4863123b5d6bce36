"""The live page of `asmnet-webcam --serve`: pictures and tracks in any browser.

The tracker's thread leaves the latest frame here and goes on.  Another thread sends it to
each viewer that is ready for one, so a slow viewer sees fewer frames, not older ones, and
frames that nobody is ready for are never encoded.

On the websocket, the server says once `{"edges": [[a, b], ...], "nose": [a, ...]}`: which
landmarks to join, and which are the nose.  Then, for each frame, it sends

    JSON text:  the record of docs/output.md, with "fps", "stages" (ms by name), "viewers",
    binary:     the picture as JPEG,

and waits for any message, which says that the frame is drawn and another one welcome.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import ipaddress
import logging
import threading
from collections.abc import Coroutine, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from asmnet.core import IBUG68, Scheme, UserError
from asmnet.edge_runtime.io.admission import Admission
from asmnet.edge_runtime.io.closing import Closing
from asmnet.edge_runtime.io.listening import listen, own_address, parse_address
from asmnet.edge_runtime.io.published_frame import PublishedFrame

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["PreviewServer"]

PAGE = Path(__file__).with_name("page.html")
# Seconds between looks for a new frame, and from one connection to the next.  Were the tracker to
# wake this thread instead, it would release Python's lock, and often get it back milliseconds
# later.
LOOK_EVERY = 0.005
# Seconds from one ping to the next; a viewer that does not answer within half of that is dropped.
HEARTBEAT = 10.0
# Seconds that viewers have to confirm that the connection closes, before it is cut.
CLOSING = 0.3
# Seconds that a connection has to ask and to fetch its answer, and a viewer to fetch a frame.
DEADLINE = 10.0
# Connections: of viewers, and of those who are none (yet).  Each costs a file descriptor, of
# which a process usually has 1,024.
MOST_VIEWERS = 32
MOST_NOT_JOINED = 32
# Seconds without accepting anyone after the system refused to.
RECOVERY = 0.5

_HEADERS = {
    "Cache-Control": "no-store",
    # The address holds the token.
    "Referrer-Policy": "no-referrer",
    # The page needs nothing from elsewhere, and nobody is to frame it.
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:; connect-src 'self'; frame-ancestors 'none'",
}


class PreviewServer(Closing):
    """Shows what is published to browsers, from a thread of its own.

    A context manager: browsers are served inside its block.  The port is taken at once, so
    that a bad address is told before any work.

    Beyond this machine a token is demanded; see `Admission`.

    Args:
        address: PORT, or HOST:PORT to be seen by other machines, for example 0.0.0.0:8000;
            IPv6 in brackets.  Port 0 takes any free one.
        scheme: of the landmarks; tells which points to join.

    Attributes:
        url: what to open in a browser, with the token if one is needed.

    Raises:
        UserError: the address is malformed, not of this machine or taken, or aiohttp is not
            installed.
    """

    def __init__(self, address: str, scheme: Scheme = IBUG68) -> None:
        self._web = _aiohttp()
        self._hello = {"edges": scheme.edges, "nose": scheme.groups["nose"]}
        host, port = parse_address(address)
        self._socket = listen(host, port)
        bound, port = self._socket.getsockname()[:2]
        self._admit = Admission(host, bound)
        host = own_address(bound) if ipaddress.ip_address(bound).is_unspecified else host
        host = f"[{host}]" if ":" in host else host
        self.url = f"http://{host}:{port}/{self._admit.query}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="preview", daemon=True)
        self._viewers: set[web.WebSocketResponse] = set()
        # Since when they are here, the oldest first.
        self._not_joined: dict[asyncio.Transport, float] = {}
        self._latest: PublishedFrame | None = None

    @property
    def viewers(self) -> int:
        """How many browsers watch."""
        return len(self._viewers)

    def publish(
        self,
        picture: np.ndarray,
        line: Mapping[str, Any],
        stages: Mapping[str, float],
        *,
        fps: float,
    ) -> None:
        """Make this the frame that viewers get next; returns at once, whoever watches.

        Args:
            picture: (H, W, 3) uint8 BGR without drawing; kept, so not to be written into
                afterwards.
            line: what `record_line` made of the frame; kept too.
            stages: milliseconds by name.
            fps: frames per second.
        """
        self._latest = PublishedFrame(picture, line, stages, fps)

    def __enter__(self) -> PreviewServer:
        self._thread.start()
        self._run(self._open())
        return self

    def close(self) -> None:
        """Close the viewers' connections, and give the port back."""
        if self._thread.is_alive():
            self._run(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._socket.close()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    # From here on, everything runs in the server's thread.

    async def _open(self) -> None:
        app = self._web.Application()
        app.router.add_get("/", self._page)
        app.router.add_get("/live", self._live)
        app.on_response_prepare.append(_once)
        logger = logging.getLogger(__name__)
        logger.addFilter(_is_ours)
        self._runner = self._web.AppRunner(
            app, access_log=None, logger=logger, shutdown_timeout=CLOSING
        )
        await self._runner.setup()
        self._socket.setblocking(False)
        self._tasks = [asyncio.create_task(self._accept()), asyncio.create_task(self._part())]

    async def _accept(self) -> None:
        """Take connections, a limited number: a new one replaces the oldest not joined."""
        while True:
            try:
                connection, _ = await self._loop.sock_accept(self._socket)
                transport, _ = await self._loop.connect_accepted_socket(
                    self._runner.server, connection
                )
            except OSError:  # gone already, or the process has too many files open
                await asyncio.sleep(RECOVERY)
                continue
            if len(self._not_joined) == MOST_NOT_JOINED:
                self._leave(next(iter(self._not_joined)))
            self._not_joined[transport] = self._loop.time()
            await asyncio.sleep(LOOK_EVERY)  # a flood is not to take the tracker's processor

    async def _part(self) -> None:
        """Close connections that have said nothing useful in time, however they spent it."""
        while True:
            await asyncio.sleep(DEADLINE / 10)
            for connection, since in list(self._not_joined.items()):
                if connection.is_closing() or self._loop.time() > since + DEADLINE:
                    self._leave(connection)

    def _leave(self, connection: asyncio.Transport) -> None:
        del self._not_joined[connection]
        connection.abort()

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._socket.close()
        closings = [viewer.close(code=1001, message=b"ended") for viewer in self._viewers]
        with contextlib.suppress(asyncio.TimeoutError):
            # A feed that breaks off meanwhile cancels its closing: a result, no exception.
            leaving = asyncio.gather(*closings, return_exceptions=True)
            await asyncio.wait_for(leaving, CLOSING)
        await self._runner.cleanup()

    async def _page(self, request: web.Request) -> web.Response:
        self._admit(request)
        text = PAGE.read_text(encoding="utf-8")
        return self._web.Response(text=text, content_type="text/html", headers=_HEADERS)

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        """Feed one viewer until it leaves."""
        self._admit(request)
        if len(self._viewers) >= MOST_VIEWERS:
            raise self._web.HTTPServiceUnavailable(text="There are too many viewers.\n")
        viewer = self._web.WebSocketResponse(
            heartbeat=HEARTBEAT, timeout=CLOSING, compress=False, max_msg_size=64
        )
        transport = request.transport
        await viewer.prepare(request)
        if transport is not None:
            self._not_joined.pop(transport, None)
        ready = asyncio.Event()
        tasks = {
            asyncio.create_task(self._listen_to(viewer, ready)),
            asyncio.create_task(self._feed(viewer, ready)),
        }
        self._viewers.add(viewer)
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            with contextlib.suppress(ConnectionError, asyncio.TimeoutError):  # gone without closing
                for task in done:
                    task.result()
        finally:
            self._viewers.discard(viewer)
            for task in tasks:
                task.cancel()
            # What a viewer has not fetched by now it never will.
            if transport is not None and transport.get_write_buffer_size():
                transport.abort()
        return viewer

    async def _listen_to(self, viewer: web.WebSocketResponse, ready: asyncio.Event) -> None:
        async for _ in viewer:
            ready.set()

    async def _feed(self, viewer: web.WebSocketResponse, ready: asyncio.Event) -> None:
        await viewer.send_json(self._hello)
        seen = None
        while True:
            while (shot := self._latest) is None or shot is seen:
                await asyncio.sleep(LOOK_EVERY)
            seen = shot
            extra = {"fps": shot.fps, "stages": dict(shot.stages), "viewers": self.viewers}
            await asyncio.wait_for(self._send(viewer, {**shot.line, **extra}, shot.jpeg), DEADLINE)
            await ready.wait()
            ready.clear()

    async def _send(self, viewer: web.WebSocketResponse, line: Any, jpeg: bytes) -> None:
        await viewer.send_json(line)
        await viewer.send_bytes(jpeg)


async def _once(request: web.Request, response: web.StreamResponse) -> None:
    """One request a connection: idle ones would only be in the way."""
    response.force_close()


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a log record is about us, not about a bad request or somebody who left early."""
    from aiohttp import http_exceptions, web

    theirs = (
        http_exceptions.HttpProcessingError,
        web.RequestPayloadError,
        ConnectionError,
        UnicodeEncodeError,  # aiohttp's answer to an expectation repeats it, text or not
    )
    return not (record.exc_info and isinstance(record.exc_info[1], theirs))


def _aiohttp() -> ModuleType:
    try:
        return importlib.import_module("aiohttp.web")
    except ImportError as error:
        raise UserError("aiohttp is not installed; run: pip install 'asmnet[preview]'") from error
