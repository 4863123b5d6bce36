"""The live page in a real browser."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from viewers import face, picture, play, port_of, publish

from asmnet.core import rotation_from_euler
from asmnet.edge_runtime.io.serve import PreviewServer

aiohttp = pytest.importorskip("aiohttp", reason="the live page is an extra: asmnet[preview]")


@contextlib.asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Any]:
    """Headless Chromium: a function that has it carry out a command of its debugging protocol."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs Chromium on the PATH to look at the page")
    # The sandbox does not work in containers, and this page is our own.
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    options += ["--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage"]
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
                signals = "5, -2, 60 cm · eyes 91 % 100 % · mouth 25 % · 1 blinks"
                assert signals in shown["text"]
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

    play(story(), patience=150)  # a browser's first start is slow where others work
