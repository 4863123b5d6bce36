"""The built page in headless Chromium: first load, frame rate, long runs, damaged files, MediaPipe.

    python bench/web.py load
    python bench/web.py camera --model 68-160
    python bench/web.py soak --minutes 30
    python bench/web.py dropped --count 500
    python bench/web.py against-mediapipe --package FOLDER --task face_landmarker.task

`make web` first.  --package is what `npm pack @mediapipe/tasks-vision` packs, unpacked.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import click
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "web_demo/tests"), str(ROOT / "android_demo/tests")]
import browsers  # noqa: E402
import camera  # noqa: E402
from server import Server, packed  # noqa: E402
from support import SITE  # noqa: E402
from test_page import DROP, LIVE, PROBLEM, READY, STATUS, press, until  # noqa: E402

from asmnet import models, samples  # noqa: E402

Story = Callable[[browsers.Chromium, Server, Path], Awaitable[None]]
FIGURES = """JSON.stringify(Object.fromEntries([...document.querySelectorAll('#figures div')].map(
  cell => [...cell.children].map(part => part.textContent))))"""


def play(story: Story, with_camera: bool = False) -> None:
    """Carry out a story with Chromium and the page's server."""

    async def told() -> None:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
            folder = Path(name)
            options: tuple[str, ...] = ()
            if with_camera:
                camera.write(folder / "clip.mjpeg", 0, 30)
                options = camera.options(folder / "clip.mjpeg")
            with Server(folder) as server:
                async with browsers.chromium(folder, *options) as browser:
                    await story(browser, server, folder)
                    foreign = [u for u in browser.requests if not u.startswith(server.url)]
                    foreign = [url for url in foreign if not url.startswith("blob:")]
                    print(f"requests to other hosts: {len(foreign)} of {len(browser.requests)}")

    asyncio.run(told())


@click.group()
def main() -> None:
    """Measure the built page."""


@main.command()
def load() -> None:
    """Bytes that the first load transfers (gzip), and seconds until the tracker is ready."""

    async def story(browser: browsers.Chromium, server: Server, _: Path) -> None:
        for file in SITE.rglob("*.*"):
            packed(file)  # as static hosts do, once
        start = time.monotonic()
        await browser.open(server.url)
        await until(browser, READY)
        seconds = time.monotonic() - start
        await browser.evaluate("navigator.serviceWorker.ready.then(() => true)")
        keepers = {event["params"]["sessionId"] for event in browser.events
                   if event.get("method") == "Target.attachedToTarget"
                   and event["params"]["targetInfo"]["type"] == "service_worker"}  # fmt: skip
        sizes: dict[bool, list[int]] = {False: [], True: []}
        for event in browser.events:
            if event.get("method") == "Network.loadingFinished":
                kept = event.get("sessionId") in keepers
                sizes[kept].append(event["params"]["encodedDataLength"])
        for kept, found in sizes.items():
            who = "for offline use, besides" if kept else f"ready in {seconds:.2f} s"
            print(f"transferred {sum(found) / 1e6:.2f} MB in {len(found)} answers, {who}")

    play(story)


async def start_camera(browser: browsers.Chromium, server: Server, model: str) -> None:
    """Open the page with a model, and its camera."""
    await browser.open(server.url)
    await until(browser, READY)
    if model != "68-112":
        await browser.evaluate(
            f"document.getElementById('model').value = '{model}';"
            "document.getElementById('model').dispatchEvent(new Event('change'))"
        )
        await until(browser, f"{STATUS}.includes('{model}')")
    await press(browser, "camera")
    await until(browser, LIVE)


@main.command("camera")
@click.option("--model", default="68-112")
@click.option("--seconds", default=30)
def frame_rate(model: str, seconds: int) -> None:
    """Frames a second and stages with the sample clip as the camera."""

    async def story(browser: browsers.Chromium, server: Server, _: Path) -> None:
        await start_camera(browser, server, model)
        shown = []
        for _second in range(seconds):
            await asyncio.sleep(1)
            shown.append(json.loads(await browser.evaluate(FIGURES)))
        for name in shown[-1]:
            print(f"{name:<14}{np.median([float(figures[name]) for figures in shown]):8.1f}")

    play(story, with_camera=True)


@main.command()
@click.option("--minutes", default=30.0)
@click.option("--model", default="68-112")
def soak(minutes: float, model: str) -> None:
    """Memory and latency over a long time with the camera."""

    async def story(browser: browsers.Chromium, server: Server, _: Path) -> None:
        await start_camera(browser, server, model)
        for step in range(11):
            heap = await browser.do("Runtime.getHeapUsage")
            figures = json.loads(await browser.evaluate(FIGURES))
            memory = sum(resident())
            print(f"{step * minutes / 10:5.1f} min  {memory:7.0f} MB resident  "
                  f"page's heap {heap['usedSize'] / 1e6:5.1f} MB  "
                  f"{figures['frames / s']} frames/s  "
                  f"{figures['total, ms']} ms", flush=True)  # fmt: skip
            if step < 10:
                await asyncio.sleep(minutes * 6)
        print("problem shown:", await browser.evaluate(PROBLEM) or "none")

    play(story, with_camera=True)


def resident() -> list[float]:
    """MB of each renderer of the Chromium that this process started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            words = (status.parent / "cmdline").read_bytes()
            if b"--type=renderer" in words and b"chromium" in words:
                lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
                found.append(int(lines["VmRSS"].split()[0]) / 1e3)
        except (OSError, KeyError):
            continue
    return found


@main.command()
@click.option("--count", default=500)
def dropped(count: int) -> None:
    """Damaged models and pictures, dropped one after another while the clip plays."""
    random = np.random.default_rng(8)
    whole = models.find("asmnet-spatial-68-112").read_bytes()
    portrait = (samples.PORTRAITS / "astronaut.jpg").read_bytes()

    async def story(browser: browsers.Chromium, server: Server, _: Path) -> None:
        await browser.open(server.url)
        await until(browser, READY)
        await press(browser, "sample")
        said: dict[str, int] = {}
        for n in range(count):
            kind = ("m.tflite", "") if n % 2 else ("p.jpg", "image/jpeg")
            source = whole[-20_000:] if n % 4 == 1 else whole[:20_000] if n % 2 else portrait
            content = np.frombuffer(source, np.uint8)[: random.integers(len(source))].copy()
            content[random.random(len(content)) < random.choice((1e-4, 1e-2, 0.3))] ^= 85
            await press(browser, "dismiss")
            before = await browser.evaluate(STATUS)
            await browser.evaluate(f"{DROP}(...{json.dumps([*kind, content.tolist()])})")
            for _wait in range(100):  # a sentence, or the picture is good enough to be shown
                sentence = await browser.evaluate(PROBLEM)
                status = await browser.evaluate(STATUS)
                if sentence or (status.startswith(kind[0]) and status != before):
                    break
                await asyncio.sleep(0.05)
            key = (sentence or f"shown: {status}").split(" at ")[0]
            said[key] = said.get(key, 0) + 1
        for sentence, times in sorted(said.items(), key=lambda item: -item[1]):
            print(f"{times:5d}  {sentence}")
        await press(browser, "dismiss")
        await press(browser, "sample")
        await until(browser, "document.querySelector('#faces').innerText.includes('°')")
        print("the clip plays on;", len(browser.errors), "errors of the page's scripts")

    play(story)


AGAINST = """(async () => {
  const vision = await import("/data/vision_bundle.mjs");
  const files = await vision.FilesetResolver.forVisionTasks("/data");
  const theirs = await vision.FaceLandmarker.createFromOptions(files, {
    baseOptions: { modelAssetPath: "/data/face_landmarker.task", delegate: "CPU" },
    runningMode: "VIDEO", numFaces: 2 });
  const { Asmnet } = await import("/asmnet/asmnet.js");
  const ours = {};
  for (const model of ["68-112", "68-160"]) {
    ours[model] = await Asmnet.open({ maxFaces: 2,
      model: `/asmnet/models/asmnet-spatial-${model}-int8.tflite` });
  }
  const video = Object.assign(document.createElement("video"), { muted: true, src: "/faces.mp4" });
  await new Promise(done => { video.onloadeddata = done; });
  const times = { mediapipe: [], "68-112": [], "68-160": [] };
  for (let n = 0; n < FRAMES; n++) {
    video.currentTime = n * 30 / FRAMES + 0.001;
    await new Promise(done => { video.onseeked = done; });
    const frame = await createImageBitmap(video);
    const start = performance.now();
    theirs.detectForVideo(frame, 1 + n * 33);
    times.mediapipe.push(performance.now() - start);
    for (const [model, asmnet] of Object.entries(ours)) {
      times[model].push((await asmnet.track(frame, n / 30)).times.total);
    }
    frame.close();
  }
  return times;
})()"""


@main.command("against-mediapipe")
@click.option("--package", required=True, type=Path)
@click.option("--task", required=True, type=Path)
@click.option("--frames", default=300)
def against_mediapipe(package: Path, task: Path, frames: int) -> None:
    """Whole updates of the same frames in turn with @mediapipe/tasks-vision on the CPU."""

    async def story(browser: browsers.Chromium, server: Server, folder: Path) -> None:
        for file in (package / "vision_bundle.mjs", task, *(package / "wasm").iterdir()):
            shutil.copy(file, folder / ("face_landmarker.task" if file == task else file.name))
        await browser.open(f"{server.url}/tests/blank.html")
        times = await browser.evaluate(AGAINST.replace("FRAMES", str(frames)))
        base = np.array(times["mediapipe"][10:])
        for name, values in times.items():
            own = np.array(values[10:])
            print(f"{name:<10} {np.median(own):7.2f} ms median  "
                  f"{np.median(base) / np.median(own):5.2f} x MediaPipe (medians)  "
                  f"{np.median(base / own):5.2f} x (frame by frame)")  # fmt: skip

    play(story)


if __name__ == "__main__":
    main()
