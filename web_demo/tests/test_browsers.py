"""Chromium, Firefox and WebKitGTK: the same networks and the same tracker as in Python."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import browsers
import numpy as np
import pytest
from server import Server
from support import RESOURCES
from test_node import pixels_apart
from test_page import DROP, READY, STATUS, until

from asmnet import models, samples
from asmnet.core import read_spec

# In a page that holds nothing else; the answer is fetched by the worker's message.
RUN = """new Promise((done, fail) => {
  const worker = new Worker(`${location.origin}/tests/checks_worker.js`);
  worker.onmessage = ({data}) => data.error ? fail(data.error) : done(data.answer);
  worker.onerror = ({message}) => fail(message);
  worker.postMessage(GIVEN);
})"""


async def check(browser: Any, name: str, files: dict[str, str], **given: Any) -> Any:
    """The answer of one of the checks of checks.js."""
    message = json.dumps({"name": name, "given": given, "files": files})
    return await browser.evaluate(RUN.replace("GIVEN", message))


@pytest.mark.parametrize("name", ["chromium", "firefox", "webkit"])
def test_a_browser_answers_as_python(name: str, faces: Callable, site: Path, tmp_path: Path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "vectors").write_bytes(gzip.decompress((RESOURCES / "vectors.bin.gz").read_bytes()))
    index = json.loads((RESOURCES / "vectors.json").read_text())
    tensor = read_spec(models.find(models.DEFAULT)).landmarks_tensor
    cases = {model: faces(model) for model in ("asmnet-spatial-68-112", "detector")}
    for model, (_, inputs, *_rest) in cases.items():
        inputs.tofile(data / model)
    shipped = "/asmnet/models/"
    default = {"data": "/data/vectors", "model": f"{shipped}{models.DEFAULT}-int8.tflite",
               "detector": f"{shipped}{models.DETECTOR.name}"}  # fmt: skip

    async def story(server: Server) -> None:
        async with browsers.BROWSERS[name](tmp_path) as browser:
            await browser.open(f"{server.url}/tests/blank.html")
            for model, (path, inputs, expected, names) in cases.items():
                found = await check(
                    browser, "infer", {"file": shipped + path.name, "inputs": f"/data/{model}"},
                    size=inputs[0].nbytes, names=names,
                )  # fmt: skip
                apart = pixels_apart(
                    model, np.reshape(found, expected.shape), expected, inputs.shape[1]
                )
                print(f"{name}, {model}: {len(inputs)} faces, at most {apart:.2g} px or degrees")
                # WebKit lacks relaxed SIMD, by which the others compute the very same.
                assert apart < 1e-3 if name == "webkit" else apart == 0
            for clip in ("track", "blinking", "nervous"):
                found = await check(
                    browser, "replay", default, clip=clip, index=index,
                    tensors={"landmarks": tensor},
                )  # fmt: skip
                print(name, clip, found)
                assert found["problem"] == ""
                assert found["worst"] < 0.01
            # And the page itself, which uses what browsers do not do alike.
            await browser.open(server.url)
            await until(browser, READY)
            portrait = list((samples.PORTRAITS / "astronaut.jpg").read_bytes())
            await browser.evaluate(f"{DROP}('me.jpg', 'image/jpeg', {portrait})")
            await until(browser, f"{STATUS} === 'me.jpg: 1 face'")

    with Server(data) as server:
        asyncio.run(asyncio.wait_for(story(server), 200))
