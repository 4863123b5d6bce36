"""Real browsers without a window: Chromium by its debugging protocol, Firefox by WebDriver BiDi,
WebKitGTK by WebDriver.  Each has `open(address)` and `evaluate(script)`, whose promise is awaited.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
from support import needs

__all__ = ["BROWSERS", "Chromium", "Firefox", "WebKit", "chromium", "firefox", "webkit"]

MINI_BROWSERS = "*/webkit2gtk-4.*/MiniBrowser"  # below /usr/lib, not on the PATH


class ScriptError(Exception):
    """A script in the page threw."""


class Socket:
    """Commands with numbered answers over a web socket; events are kept."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self._waiting: dict[int, asyncio.Future] = {}
        self.events: list[dict] = []
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            said = message.json()
            if said.get("id") in self._waiting:
                self._waiting.pop(said["id"]).set_result(said)
            else:
                self.events.append(said)
                self.heard(said)
        for future in self._waiting.values():
            future.set_exception(ConnectionError("the browser is gone"))

    def heard(self, event: dict) -> None:
        """Called for each event."""

    async def do(self, method: str, session: str | None = None, **parameters: Any) -> dict:
        """Carry out a command; its result."""
        number, answered = next(self._numbers), asyncio.get_running_loop().create_future()
        self._waiting[number] = answered
        command = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json(command | ({"sessionId": session} if session else {}))
        answer = await answered
        if "error" in answer:
            raise ScriptError(f"{method}: {answer}")
        return answer["result"]


class Chromium(Socket):
    """A tab of Chromium; `requests` are the addresses that it and its workers asked for."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        super().__init__(socket)
        self.requests: list[str] = []
        self.errors: list[str] = []

    def heard(self, event: dict) -> None:
        parameters = event.get("params", {})
        if event.get("method") == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif event.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(parameters["exceptionDetails"])[:500])
        elif event.get("method") == "Target.attachedToTarget":
            asyncio.ensure_future(self._attach(parameters["sessionId"]))

    async def _attach(self, session: str | None) -> None:
        options = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
        # All at once: a service worker answers none before it runs.
        await asyncio.gather(
            self.do("Network.enable", session),
            self.do("Runtime.enable", session),
            self.do("Target.setAutoAttach", session, **options),
            self.do("Runtime.runIfWaitingForDebugger", session),
            return_exceptions=True,
        )

    async def open(self, address: str) -> None:
        """Show a page."""
        await self.do("Page.enable")
        await self.do("Page.navigate", url=address)
        await self.evaluate(LOADED)

    async def evaluate(self, script: str) -> Any:
        """The value of a script."""
        for _ in range(3):  # a page that just opens takes its scripts' world away
            try:
                answer = await self.do(
                    "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True,
                    userGesture=True,
                )  # fmt: skip
                break
            except ScriptError as error:
                if "destroyed" not in str(error) and "navigated" not in str(error):
                    raise
        if "exceptionDetails" in answer:
            raise ScriptError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    async def screenshot(self, path: Path) -> None:
        """Save what the tab shows."""
        answer = await self.do("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(answer["data"]))


# The last part of a page's opening; a script may run before it otherwise.
LOADED = """new Promise(done => document.readyState === "complete" ? done()
    : addEventListener("load", () => done()))"""


@contextlib.asynccontextmanager
async def started(
    command: Sequence[str], said: str | None = None, **options: Any
) -> AsyncIterator[str]:
    """A program, ended with all that it started; what it said that matches `said`."""
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        start_new_session=True, **options,
    ) as process:  # fmt: skip
        try:
            found = ""
            while said and not found:
                line = await asyncio.to_thread(process.stderr.readline)
                if not line:
                    raise RuntimeError(f"{command[0]} ended")
                if match := re.search(said, line):
                    found = match[1]
            # What is said later must be read, or the program waits for ever.
            drain = asyncio.create_task(asyncio.to_thread(process.stderr.read))
            yield found
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    await drain


@contextlib.asynccontextmanager
async def chromium(folder: Path, *options: str) -> AsyncIterator[Chromium]:
    """Headless Chromium with a profile in a folder."""
    program = needs("chromium", "google-chrome")
    # The sandbox does not work in containers, and these pages are our own.
    words = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    words += ["--remote-debugging-port=0", "--disable-background-networking"]
    words += ["--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"]
    words += [f"--user-data-dir={folder / 'chromium'}", *options, "about:blank"]
    async with started(words, r"DevTools listening on ws://([^/]+)/") as host:
        async with aiohttp.ClientSession() as web:
            async with web.get(f"http://{host}/json") as answer:
                (tab,) = (tab for tab in await answer.json() if tab["type"] == "page")
            async with web.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                browser = Chromium(socket)
                await browser._attach(None)
                yield browser


class Firefox(Socket):
    """A tab of Firefox."""

    async def start(self) -> None:
        """Take the tab that is open."""
        await self.do("session.new", capabilities={})
        tree = await self.do("browsingContext.getTree")
        self._tab = tree["contexts"][0]["context"]

    async def open(self, address: str) -> None:
        """Show a page."""
        await self.do("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    async def evaluate(self, script: str) -> Any:
        """The value of a script."""
        answer = await self.do(
            "script.evaluate", expression=f"Promise.resolve({script}).then(x => JSON.stringify(x))",
            target={"context": self._tab}, awaitPromise=True, userActivation=True,
        )  # fmt: skip
        if answer["type"] == "exception":
            raise ScriptError(answer["exceptionDetails"]["text"])
        text = answer["result"].get("value")
        return None if text is None else json.loads(text)


@contextlib.asynccontextmanager
async def firefox(folder: Path) -> AsyncIterator[Firefox]:
    """Headless Firefox with a made-up camera."""
    program = needs("firefox-esr", "firefox")
    profile = folder / "firefox"
    profile.mkdir(exist_ok=True)
    wishes = {"media.navigator.streams.fake": True, "media.navigator.permission.disabled": True,
              "media.autoplay.default": 0, "datareporting.policy.dataSubmissionEnabled": False,
              "app.update.enabled": False, "network.captive-portal-service.enabled": False,
              "browser.shell.checkDefaultBrowser": False}  # fmt: skip
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(v)});" for name, v in wishes.items())
    (profile / "user.js").write_text("\n".join(lines))
    words = [program, "--headless", "--profile", str(profile), "--remote-debugging-port", "0"]
    environment = os.environ | {"HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"}
    async with started(words, r"BiDi listening on ws://(\S+)", env=environment) as host:
        async with aiohttp.ClientSession() as web:
            async with web.ws_connect(f"ws://{host}/session", max_msg_size=0) as socket:
                browser = Firefox(socket)
                await browser.start()
                yield browser


class WebKit:
    """A window of WebKitGTK's browser."""

    def __init__(self, web: aiohttp.ClientSession, session: str) -> None:
        self._web, self._session = web, session

    async def _do(self, path: str, **body: Any) -> Any:
        async with self._web.post(f"{self._session}/{path}", json=body) as answer:
            value = (await answer.json())["value"]
        if isinstance(value, dict) and "error" in value:
            raise ScriptError(f"{value['error']}: {value['message']}")
        return value

    async def open(self, address: str) -> None:
        """Show a page."""
        await self._do("url", url=address)
        await self._do("timeouts", script=300_000)

    async def evaluate(self, script: str) -> Any:
        """The value of a script."""
        done = "const done = arguments[0]; Promise.resolve(%s).then(x => done({x}),"
        done += " e => done({e: String(e)}))"
        answer = await self._do("execute/async", script=done % script, args=[])
        if "e" in answer:
            raise ScriptError(answer["e"])
        return answer.get("x")


@contextlib.asynccontextmanager
async def webkit(folder: Path) -> AsyncIterator[WebKit]:
    """WebKitGTK on a screen of its own."""
    driver, screen = needs("WebKitWebDriver"), needs("xvfb-run")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
                                "HOME": str(folder), "LIBGL_ALWAYS_SOFTWARE": "1"}  # fmt: skip
    words = [screen, "--auto-servernum", driver, f"--port={port}", "--host=127.0.0.1"]
    async with started(words, env=environment), aiohttp.ClientSession() as web:
        base = f"http://127.0.0.1:{port}"
        program = str(next(Path("/usr/lib").glob(MINI_BROWSERS)))
        options = {"binary": program, "args": ["--automation"]}
        wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        for _ in range(100):
            try:
                async with web.post(f"{base}/session", json=wanted) as answer:
                    value = (await answer.json())["value"]
                break
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)
        if "error" in value:
            raise ScriptError(str(value))
        yield WebKit(web, f"{base}/session/{value['sessionId']}")


BROWSERS = {"chromium": chromium, "firefox": firefox, "webkit": webkit}
