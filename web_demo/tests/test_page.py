"""The page in headless Chromium: a camera, files, what goes wrong, and nothing asked of others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import browsers
import camera
import numpy as np
import pytest
from server import Server
from support import ROOT

from asmnet import models, samples
from asmnet.edge_runtime.detector import FaceDetector
from asmnet.edge_runtime.landmarker import Landmarker
from asmnet.edge_runtime.tracking.tracker import FaceTracker

SMALL = models.find("asmnet-spatial-68-112")
READY = "document.getElementById('status').textContent.includes('ready')"
STATUS = "document.getElementById('status').textContent"
PROBLEM = "document.getElementById('problem').hidden ? '' : problem.innerText.split('\\n')[0]"
LIVE = "document.querySelectorAll('#figures dd').length > 0"
Browser = browsers.Chromium
# Of the page's own script nothing is to be had; these are the browser's.
STREAMS = """window.streams = []; const ask = navigator.mediaDevices?.getUserMedia;
if (ask) navigator.mediaDevices.getUserMedia = async function (wish) {
  const stream = await ask.call(this, wish); window.streams.push(stream); return stream; };"""
DROP = """((name, type, bytes) => { const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name, {type}));
  document.dispatchEvent(new DragEvent("drop", {dataTransfer: data})); })"""


async def until(browser: Browser, script: str, patience: float = 60) -> Any:
    """The value of a script, as soon as it is something."""
    for _ in range(int(patience / 0.1)):
        if value := await browser.evaluate(script):
            return value
        await asyncio.sleep(0.1)
    shown = await browser.evaluate("document.body.innerText")
    raise AssertionError(f"never {script}; the page shows: {shown}")


async def press(browser: Browser, action: str) -> None:
    """Click one of the page's buttons."""
    await browser.evaluate(f"document.querySelector('[data-do={action}]').click()")


def play(folder: Path, story: Callable[[Browser, Server], Awaitable[None]], *options: str) -> None:
    """Carry out a story about the page; it must cause no error and ask no other host."""

    async def told() -> None:
        with Server(folder) as server:
            async with browsers.chromium(folder, *options) as browser:
                await browser.do("Page.enable")
                await browser.do("Page.addScriptToEvaluateOnNewDocument", source=STREAMS)
                await browser.open(server.url)
                await until(browser, READY)
                await story(browser, server)
                assert browser.errors == []
                own = (server.url, f"blob:{server.url}")
                assert [url for url in browser.requests if not url.startswith(own)] == []

    asyncio.run(asyncio.wait_for(told(), 150))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[np.ndarray]]:
    """A camera's file, and its frames."""
    path = tmp_path_factory.mktemp("camera") / "clip.mjpeg"
    return path, camera.write(path, 23, 26)


# Tracks each frame that the camera shows by the package alone, and reads its number.
FOLLOW = """(async () => {
  const { Asmnet } = await import("/asmnet/asmnet.js");
  const asmnet = await Asmnet.open({ maxFaces: 2, fov: 50 });
  const video = Object.assign(document.createElement("video"), { muted: true });
  video.srcObject = await navigator.mediaDevices.getUserMedia({
    video: { width: 640, height: 480 } });
  await video.play();
  const lines = [], canvas = new OffscreenCanvas(640, 480);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  while (lines.length < 60) {
    await new Promise(next => video.requestVideoFrameCallback(next));
    const frame = new VideoFrame(video);
    context.drawImage(frame, 0, 0);
    const row = context.getImageData(0, CELL / 2, BITS * CELL, 1).data;
    let number = 0;
    for (let bit = 0; bit < BITS; bit++) number |= (row[4 * (CELL * bit + CELL / 2)] > 127) << bit;
    const { record } = await asmnet.track(frame, lines.length / 30);
    lines.push([number, record]);
    frame.close();
  }
  asmnet.close();
  video.srcObject.getTracks().forEach(track => track.stop());
  return lines;
})()"""


def test_the_example_runs_as_the_guide_prints_it(site: Path, recording, tmp_path: Path):
    assert (site / "example.js").read_text() in (ROOT / "docs/guides/web.md").read_text()

    async def story(browser: Browser, server: Server) -> None:
        await browser.open(f"{server.url}/example.html")
        await until(browser, "canvas.width === 640")
        pixels = "canvas.getContext('2d').getImageData(0, 0, 640, 480).data"
        green = f"[...{pixels}].some((g, i, all) => i % 4 === 1 && g > 200 && all[i - 1] < 120)"
        await until(browser, green)  # the lines between landmarks

    play(tmp_path, story, *camera.options(recording[0]))


# What a page that uses the package is told: each call's message.
MISTAKES = """(async () => {
  const { Asmnet } = await import("/asmnet/asmnet.js");
  const said = async call => { try { return String(await call()); } catch (error) {
    return `${error.name}: ${error.message}`; } };
  const asmnet = await Asmnet.open();
  const answers = [
    await said(() => Asmnet.open({ model: "/nothing.tflite" })),
    await said(() => Asmnet.open({ maxFaces: 0 })),
    await said(() => Asmnet.open({ fov: 180 })),
    await said(() => asmnet.track(document.createElement("video"), 0)),
    await said(() => asmnet.track(new ImageData(8, 8), NaN)),
    await said(() => asmnet.locate(null)),
  ];
  asmnet.close();
  return [...answers, await said(() => asmnet.locate(new ImageData(8, 8)))];
})()"""


def test_the_package_says_what_is_wrong(site: Path, tmp_path: Path):
    expected = [
        "nothing.tflite cannot be fetched (the server says 404)",
        "0 faces: give a whole number",
        "a field of view is 1 to 170 degrees, not 180",
        "the video shows no frame yet; wait for its event loadeddata",
        "a frame's time must be a number of seconds, not NaN",
        "there is no picture to be had",
        "this Asmnet is closed; open another",
    ]

    async def story(browser: Browser, server: Server) -> None:
        for said, start in zip(await browser.evaluate(MISTAKES), expected, strict=True):
            assert said.startswith(f"AsmnetError: {start}"), said

    play(tmp_path, story)


def test_a_cameras_frames_are_followed_as_in_python(site: Path, recording, tmp_path: Path):
    path, frames = recording
    script = FOLLOW.replace("BITS", str(camera.BITS)).replace("CELL", str(camera.CELL))

    async def story(browser: Browser, server: Server) -> None:
        lines = await browser.evaluate(script)
        tracker = FaceTracker(Landmarker.load(SMALL), FaceDetector.load(), max_faces=2, fov=50)
        apart, distances, names = [], [], {}
        for index, (number, record) in enumerate(lines):
            assert camera.number(frames[number]) == number
            expected = tracker.update(frames[number], index / 30)
            assert len(record["faces"]) == len(expected)
            for face in record["faces"]:
                marks = np.array(face["landmarks"])
                other = min(expected, key=lambda one: np.abs(one.landmarks - marks).mean())
                # Of two faces that appear at once, compression may turn the detector's order.
                assert names.setdefault(face["id"], other.id) == other.id
                apart.append(np.linalg.norm(marks - other.landmarks, axis=1))
                distances.append(face["position"]["z"] / other.position[2])
        print(
            f"{np.size(apart)} points: {np.median(apart):.3f} px median, {np.max(apart):.2f} most"
        )
        assert sorted(names) == sorted(names.values()), "as many ids, each for one face"
        assert np.size(apart) > 68 * 60 and np.median(apart) < 1 and np.quantile(apart, 0.98) < 3
        assert np.median(distances) == pytest.approx(1, abs=0.02), "the field of view is known"
        # The camera's video is compressed: a frame may be off by more, hardly ever.
        assert np.quantile(np.abs(np.subtract(distances, 1)), 0.98) < 0.1

    play(tmp_path, story, *camera.options(path))


def test_the_page_shows_a_camera_records_it_and_works_offline(
    site: Path, recording, tmp_path: Path
):
    async def story(browser: Browser, server: Server) -> None:
        await press(browser, "camera")
        await until(browser, LIVE)
        await until(browser, "document.querySelectorAll('#faces tr').length === 2")
        await until(browser, "/\\d+\\s\\d+%/.test(document.getElementById('faces').innerText)")
        await browser.evaluate(
            "HTMLAnchorElement.prototype.click = () => {};"
            "const make = URL.createObjectURL;"
            "URL.createObjectURL = blob => make(window.saved = blob)"
        )
        await press(browser, "record")
        figures = "document.getElementById('figures').innerText"
        await until(browser, f"/recorded\\n[1-9]/.test({figures})")
        await press(browser, "record")
        text = await until(browser, "window.saved?.text()")
        for line in map(json.loads, text.splitlines()):
            assert line["schema"] == "asmnet-track/1"
            assert line["latency_ms"] > 0 and line["dropped"] >= 0
            assert all(len(face["landmarks"]) == 68 for face in line["faces"])
        # A key pauses; the next one goes on.
        for state in ("true", "false"):
            await browser.do("Input.dispatchKeyEvent", type="keyDown", key=" ")
            await until(
                browser, f"!!document.querySelector('[data-do=pause][aria-pressed={state}]')"
            )
        # A camera that is pulled out.
        await browser.evaluate("streams.at(-1).getTracks()[0].dispatchEvent(new Event('ended'))")
        assert "unplugged" in await until(browser, PROBLEM)
        # Without the server.
        await browser.evaluate("navigator.serviceWorker.ready.then(() => true)")
        await until(browser, "navigator.serviceWorker.controller !== null")
        server.stop()
        await browser.open(server.url)
        await until(browser, READY)
        await press(browser, "camera")
        await until(browser, LIVE)
        await until(browser, "document.querySelector('#faces').innerText.includes('°')")

    play(tmp_path, story, *camera.options(recording[0]))


def test_the_first_visit_fetches_one_landmark_model(site: Path, tmp_path: Path):
    async def story(browser: Browser, server: Server) -> None:
        await browser.evaluate("navigator.serviceWorker.ready.then(() => true)")
        fetched = {url.rsplit("/")[-1] for url in browser.requests if url.endswith(".tflite")}
        assert fetched == {SMALL.name, models.DETECTOR.name}

    play(tmp_path, story)


def test_clip_picture_and_models_can_be_chosen(site: Path, tmp_path: Path):
    async def story(browser: Browser, server: Server) -> None:
        await press(browser, "sample")
        await until(browser, "document.querySelector('#faces').innerText.includes('°')")
        await browser.evaluate(
            "document.getElementById('model').value = '98-160';"
            "document.getElementById('model').dispatchEvent(new Event('change'))"
        )
        await until(browser, f"{STATUS}.includes('98-160')")
        portrait = (samples.PORTRAITS / "astronaut.jpg").read_bytes()
        await browser.evaluate(f"{DROP}('me.jpg', 'image/jpeg', {list(portrait)})")
        await until(browser, f"{STATUS} === 'me.jpg: 1 face'")
        names = (await browser.do("Accessibility.getFullAXTree"))["nodes"]
        for node in names:
            if node.get("role", {}).get("value") in ("button", "combobox", "link", "image"):
                assert node["name"]["value"], node
        assert any("yaw" in str(node.get("name")) for node in names)  # of the picture

    play(tmp_path, story)


# A face blinks, is there, blinks; then another clip begins with a face of the same number.
BLINKS = """(async () => {
  const { View } = await import("/view.js");
  const view = new View(), shown = [];
  const face = { id: 0, score: 1, pose: { yaw: 0, pitch: 0, roll: 0 },
    position: { x: 0, y: 0, z: 612 }, eyes: { right: 0.9, left: 0.8 }, mouth: 0 };
  for (const [frame, kinds] of [[0, ["blink"]], [1, []], [2, ["yawn", "blink"]], [0, []]]) {
    const events = kinds.map(kind => ({ kind, start: 0, end: 0.2 }));
    view.figures({ frame, faces: [{ ...face, events }] }, null, {}, false);
    shown.push([...document.querySelectorAll("#faces td")].slice(5).map(cell => cell.innerText));
  }
  return shown;
})()"""


def test_the_page_shows_distance_eyes_and_counts_blinks(site: Path, tmp_path: Path):
    async def story(browser: Browser, server: Server) -> None:
        shown = await browser.evaluate(BLINKS)
        assert shown == [["61", "85%", blinks] for blinks in ("1", "1", "2", "0")]

    play(tmp_path, story)


def test_whatever_is_dropped_gets_a_sentence_and_the_page_goes_on(site: Path, tmp_path: Path):
    random = np.random.default_rng(7)
    whole = SMALL.read_bytes()
    portrait = (samples.PORTRAITS / "astronaut.jpg").read_bytes()

    def damaged(content: bytes) -> list[int]:
        part = np.frombuffer(content[: random.integers(len(content) // 2)], np.uint8)
        return np.where(random.random(len(part)) < 0.2, random.integers(256, size=len(part)), part)

    async def story(browser: Browser, server: Server) -> None:
        cases = [("a.tflite", "", damaged(whole[:4000]), "a.tflite "),
                 ("b.tflite", "", [], "b.tflite is not a TFLite model"),
                 ("c.jpg", "image/jpeg", damaged(portrait), "c.jpg is no picture"),
                 ("d.mp4", "video/mp4", damaged(portrait), "d.mp4 is no video"),
                 ("e.txt", "text/plain", [65], "e.txt is neither")]  # fmt: skip
        for name, kind, content, said in cases:
            await press(browser, "dismiss")
            arguments = json.dumps([name, kind, [int(byte) for byte in content]])
            await browser.evaluate(f"{DROP}(...{arguments})")
            sentence = await until(browser, PROBLEM)
            assert sentence.startswith(said) and sentence.endswith("."), sentence
        await press(browser, "dismiss")
        await press(browser, "sample")
        await until(browser, "document.querySelector('#faces').innerText.includes('°')")

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("error", "said"),
    [("NotAllowedError", "refused"), ("NotFoundError", "There is no camera"),
     ("NotReadableError", "taken by another program"), ("", "secure addresses only")],
)  # fmt: skip
def test_a_camera_that_cannot_be_had_is_explained(
    error: str, said: str, site: Path, tmp_path: Path
):
    async def story(browser: Browser, server: Server) -> None:
        if error == "NotReadableError":  # no browser can be made to say so
            await browser.evaluate(
                "navigator.mediaDevices.getUserMedia = async () => {"
                f"throw new DOMException('', '{error}') }}"
            )
        elif not error:
            await browser.open(server.url.replace("localhost", "asmnet.test"))
            await until(browser, READY)
        await press(browser, "camera")
        assert said in await until(browser, PROBLEM)
        browser.requests.clear()  # of the other name

    options = {
        "NotAllowedError": ["--use-fake-device-for-media-stream", "--deny-permission-prompts"],
        "": ["--host-resolver-rules=MAP asmnet.test 127.0.0.1"],
    }
    play(tmp_path, story, *options.get(error, ["--use-fake-ui-for-media-stream"]))
