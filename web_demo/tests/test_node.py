"""The compiled core and the adapter in Node beside Python: networks, golden clips, a whole clip."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from frames import clip, ppm
from support import RESOURCES, TESTS, needs

from asmnet import models
from asmnet.core import read_spec
from asmnet.edge_runtime.detector import FaceDetector
from asmnet.edge_runtime.landmarker import Landmarker
from asmnet.edge_runtime.tracking.tracker import FaceTracker

FPS = 30
# Seconds of the clip: a face goes out and comes back, a second person, two faces.
PART = (10, 26)
DAMAGED = int(os.environ.get("ASMNET_DAMAGED", 60))
SMALL = models.find("asmnet-spatial-68-112")


def node(script: str, *arguments: object, **options: object) -> str:
    """What one of the scripts here prints."""
    words = [needs("node"), TESTS / script, *arguments]
    return subprocess.run(
        [str(word) for word in words], check=True, stdout=subprocess.PIPE, **options
    ).stdout.decode()


def pixels_apart(model: str, found: np.ndarray, expected: np.ndarray, side: int) -> float:
    """Pixels of the network's input, or degrees, between two networks' answers at most."""
    apart = np.abs(found - expected)
    if model != "detector":
        apart[:, :-3] *= side  # the pose stays
        return apart.max()
    regressors, logits = np.split(apart, [16 * 896], axis=1)
    seen = expected[:, 16 * 896 :] > 0  # elsewhere numbers are as large as they like
    return max(logits[seen].max(), regressors.reshape(-1, 896, 16)[seen].max())


def check(name: str, folder: Path, **given: object) -> object:
    """The answer of one of the checks of checks.js."""
    (folder / "given.json").write_text(json.dumps(given, default=str))
    return json.loads(node("checks.mjs", name, folder / "given.json"))


@pytest.mark.parametrize("model", ["asmnet-spatial-68-112", "asmnet-spatial-68-160", "detector"])
def test_networks_answer_as_in_python(model: str, faces: Callable, site: Path, tmp_path: Path):
    network, inputs, expected, names = faces(model)
    inputs.tofile(tmp_path / "inputs")
    found = check(
        "infer", tmp_path, file=network, inputs=tmp_path / "inputs", size=inputs[0].nbytes,
        names=names,
    )  # fmt: skip
    apart = pixels_apart(model, np.reshape(found, expected.shape), expected, inputs.shape[1])
    print(f"{model}: {len(inputs)} faces, at most {apart:.2g} px or degrees apart")
    assert apart < 1e-3


@pytest.mark.parametrize("clip", ["track", "blinking", "nervous"])
def test_golden_clips_are_followed_as_in_python(clip: str, site: Path, tmp_path: Path):
    (tmp_path / "vectors").write_bytes(gzip.decompress((RESOURCES / "vectors.bin.gz").read_bytes()))
    spec = read_spec(models.find(models.DEFAULT))
    found = check(
        "replay", tmp_path, clip=clip, index=json.loads((RESOURCES / "vectors.json").read_text()),
        data=tmp_path / "vectors", model=models.find(models.DEFAULT), detector=models.DETECTOR,
        tensors={"landmarks": spec.landmarks_tensor},
    )  # fmt: skip
    print(clip, found)
    assert found["problem"] == "" and found["faces"] > 50
    assert found["worst"] < 0.01  # of which 0.005 is the record's rounding


def test_the_sample_clip_is_followed_as_in_python(site: Path):
    frames = list(clip())[PART[0] * FPS : PART[1] * FPS]
    lines = node("track.mjs", SMALL, FPS, input=b"".join(map(ppm, frames))).splitlines()
    tracker = FaceTracker(Landmarker.load(SMALL), FaceDetector.load(), max_faces=2)
    apart = []
    for index, (frame, line) in enumerate(zip(frames, lines, strict=True)):
        expected, record = tracker.update(frame, index / FPS), json.loads(line)
        assert [face["id"] for face in record["faces"]] == [face.id for face in expected], index
        for face, other in zip(record["faces"], expected, strict=True):
            points = np.array(face["landmarks"]) - other.landmarks
            apart.append(np.linalg.norm(points, axis=1))
    print(f"{len(lines)} frames: {np.median(apart):.3f} px median, {np.max(apart):.2f} at most")
    assert np.median(apart) < 0.5
    assert np.max(apart) < 3


def test_a_profile_is_tracked_as_in_python(site: Path):
    profile = cv2.imread(str(TESTS.parents[1] / "tests/edge_runtime/profile.jpg"))
    frames, model = [profile] * 5, models.find(models.DEFAULT)
    blank, lines = (
        node("track.mjs", model, FPS, *more, input=b"".join(map(ppm, frames))).splitlines()
        for more in ((), ("turned",))
    )
    assert not any(json.loads(line)["faces"] for line in blank)
    turned = FaceDetector.load(models.TURNED_DETECTOR)
    tracker = FaceTracker(Landmarker.load(model), FaceDetector.load(), 2, turned=turned)
    for index, line in enumerate(lines):
        (expected,) = tracker.update(profile, index / FPS)
        (face,) = json.loads(line)["faces"]
        assert face["id"] == expected.id
        apart = np.linalg.norm(face["landmarks"] - expected.landmarks, axis=1)
        assert apart.mean() < 3  # landmarks of profiles waver


def test_whatever_is_dropped_gets_one_sentence(site: Path):
    said = json.loads(node("damaged.mjs", SMALL, DAMAGED))
    # Not all in the archive counts: dates, say, or the reference for asmnet-export verify.
    sentences = [sentence for sentence in said if sentence != "opened"]
    assert len(sentences) > 0.7 * DAMAGED
    for sentence in sentences:
        assert sentence.startswith("dropped.tflite "), sentence
        assert "\n" not in sentence and ";" in sentence, sentence


def test_a_browser_without_simd_is_told_so(site: Path):
    script = f"""
        import {{ bytes, host, open }} from "{TESTS / "host.mjs"}";
        const call = host();
        WebAssembly.validate = () => false;
        await open(call, bytes("{SMALL}"), "it").catch((error) => console.log(error.message));
        process.exit(0);
    """
    words = [needs("node"), "--input-type=module", "--eval", script]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    assert said.startswith("this browser has no WebAssembly SIMD; use a current Chrome")
