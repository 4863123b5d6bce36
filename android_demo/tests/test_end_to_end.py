"""The shipped networks, the same frames: Python's runtime beside the Java core on a JVM.

Networks and crops are compared one step at a time, where nothing can add up; then whole tracks.
A tracker feeds its answers back into its crops, and int8 makes noise of the least change of a
crop: whole tracks differ by that noise, as much as Python's differ with one kernel or the other.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import cv2
import jvm
import numpy as np
import pytest
from frames import clip, ppm

from asmnet import models
from asmnet.core import Crop, PixelOps
from asmnet.core.crop import NUMPY
from asmnet.edge_runtime import detector as detector_module
from asmnet.edge_runtime import landmarker as landmarker_module
from asmnet.edge_runtime.detector import FaceDetector
from asmnet.edge_runtime.interpreter import Network
from asmnet.edge_runtime.landmarker import Face, Landmarker
from asmnet.edge_runtime.tracking.tracker import FaceTracker

FPS = 30
MODEL = models.find(models.DEFAULT)


def black_around(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """The bilinear kernel of asmnet.core with black outside, as the detector wants it."""
    shifted = matrix - matrix[:, :2].sum(axis=1, keepdims=True) * (0, 0, 1)
    return NUMPY.warp(np.pad(image, ((1, 1), (1, 1), (0, 0))), shifted, size)


KERNELS = {
    "opencv": (landmarker_module.OPENCV, detector_module.OPENCV_PADDED),
    "numpy": (NUMPY, PixelOps(NUMPY.shrink, black_around)),
}


def with_frames(frames: Iterable[np.ndarray], command: str, *arguments: object) -> None:
    """Run one of jvm's commands on frames."""
    line = jvm.java(command, "--frames", "-", *arguments)
    with subprocess.Popen(line, stdin=subprocess.PIPE) as process:
        for frame in frames:
            process.stdin.write(ppm(frame))
    assert process.returncode == 0


class Listener:
    """A network that remembers its inputs."""

    def __init__(self, network: Network) -> None:
        self._network, self.inputs = network, []
        self.name, self.input = network.name, network.input
        self.require, self.output = network.require, network.output

    def run(self, tensor: np.ndarray) -> None:
        """Run, and remember."""
        self.inputs.append(tensor.copy())
        self._network.run(tensor)


def in_python(kernels: str) -> Iterator[list[Face]]:
    """What Python's tracker answers for each frame of the clip."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(landmarker_module, "OPENCV", KERNELS[kernels][0])
        patch.setattr(detector_module, "OPENCV_PADDED", KERNELS[kernels][1])
        tracker = FaceTracker(Landmarker.load(), FaceDetector.load(), max_faces=2)
        for index, frame in enumerate(clip()):
            yield tracker.update(frame, index / FPS)


@pytest.fixture(scope="module")
def tracks() -> Callable[[str], list[list[Face]]]:
    """Python's answers with one kernel or the other, made once."""
    known: dict[str, list[list[Face]]] = {}

    def made(kernels: str) -> list[list[Face]]:
        if kernels not in known:
            known[kernels] = list(in_python(kernels))
        return known[kernels]

    return made


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """The lines that the Java core writes about the clip."""
    out = tmp_path_factory.mktemp("records") / "faces.jsonl"
    with_frames(
        clip(), "Run", "--model", MODEL, "--detector", models.DETECTOR, "--out", out,
        "--fps", FPS, "--faces", 2, "--source", "faces.mp4",
    )  # fmt: skip
    return [json.loads(line) for line in out.read_text().splitlines()]


def test_both_interpreters_give_the_same_answers(tmp_path: Path) -> None:
    """XNNPACK on either side: the very same numbers on the machines we tried."""
    spec = Landmarker.load().spec
    landmarks, faces = Listener(Network(MODEL)), Listener(Network(models.DETECTOR))
    tracker = FaceTracker(Landmarker(landmarks, spec), FaceDetector(faces), max_faces=2)
    for index, frame in enumerate(clip(every=6)):
        tracker.update(frame, index / 5)
    # Bounds: crop units, degrees; box parts of 128 px and logits.
    cases = [
        (MODEL, landmarks, {spec.landmarks_tensor: 1e-3, spec.pose_tensor: 0.1}),
        (models.DETECTOR, faces, {"regressors": 1e-3, "classificators": 1e-3}),
    ]
    for file, network, bounds in cases:
        inputs = np.concatenate(network.inputs[:150])
        inputs.tofile(tmp_path / "in")
        line = jvm.java(
            "Infer", "--model", file, "--inputs", tmp_path / "in",
            "--outputs", tmp_path / "out", "--names", ",".join(bounds),
        )  # fmt: skip
        subprocess.run(line, check=True)
        java = np.fromfile(tmp_path / "out", np.float32).reshape(len(inputs), -1)
        column = 0
        for name, bound in bounds.items():
            python = []
            for tensor in inputs:
                network.run(tensor[None])
                python.append(network.output(name).ravel())
            theirs = java[:, column : column + python[0].size]
            column += python[0].size
            difference = np.abs(theirs - python)
            print(f"{file.name} {name}: at most {difference.max():.2g} apart")
            assert difference.max() <= bound
        assert column == java.shape[1]


# Pixels of a 224 px crop, degrees: (largest, 99 of 100).  With core's own kernel Java's crops are
# the same; OpenCV's are a grey level off here and there.
@pytest.mark.parametrize(
    "kernels, points, pose", [("numpy", (0.01, 0.002), 0.01), ("opencv", (1.0, 0.6), 0.5)]
)
def test_the_same_crop_gives_the_same_landmarks(
    kernels: str, points: tuple[float, float], pose: float, tracks: Callable, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(landmarker_module, "OPENCV", KERNELS[kernels][0])
    landmarker = Landmarker.load()
    frames, crops, python = [], [], []
    for frame, faces in zip(clip(), tracks("opencv"), strict=True):
        for face in faces[len(frames) % 2 :][:1]:
            frames.append(frame)
            tilt = (-20, 0, 0, 15)[len(crops) % 4]
            crops.append(Crop(face.crop.cx, face.crop.cy, face.crop.side, tilt))
            python.append(landmarker(frame, crops[-1]))
        if len(frames) == 250:
            break
    lines = (f"{crop.cx!r} {crop.cy!r} {crop.side!r} {crop.angle!r}\n" for crop in crops)
    (tmp_path / "crops").write_text("".join(lines))
    with_frames(
        frames, "Locate", "--model", MODEL, "--crops", tmp_path / "crops", "--out", tmp_path / "out"
    )
    java = np.fromfile(tmp_path / "out", np.float32).reshape(len(crops), -1)
    apart = np.array(
        [
            np.linalg.norm(row[:-3].reshape(-1, 2) - face.landmarks, axis=1) / face.crop.side * 224
            for row, face in zip(java, python, strict=True)
        ]
    )
    turned = np.abs(java[:, -3:] - [face.pose for face in python])
    print(f"{kernels}: {apart.mean():.2g}, 99 %: {np.quantile(apart, 0.99):.2g}, "
          f"most {apart.max():.2g} px of 224; pose {turned.max():.2g} degrees")  # fmt: skip
    assert apart.max() <= points[0]
    assert np.quantile(apart, 0.99) <= points[1]
    assert turned.max() <= pose


def points(face: Face | dict) -> np.ndarray:
    """Landmarks and pose in one row."""
    if isinstance(face, Face):
        return np.append(face.landmarks, face.pose)
    return np.append(face["landmarks"], list(face["pose"].values()))


def distances(one: list[list], other: list[list]) -> tuple[np.ndarray, np.ndarray]:
    """Between faces frame by frame: (F, N) pixels of their landmarks, (F, 3) degrees."""
    rows = [
        points(a) - points(b)
        for left, right in zip(one, other, strict=True)
        for a, b in zip(left, right, strict=True)
    ]
    away = np.array(rows)
    return np.linalg.norm(away[:, :-3].reshape(len(away), -1, 2), axis=2), np.abs(away[:, -3:])


@pytest.mark.parametrize("kernels", ["numpy", "opencv"])
def test_the_clip_is_tracked_as_in_python(
    kernels: str, records: list[dict], tracks: Callable
) -> None:
    """The same ids in every frame; points and pose differ by the int8 network's own noise."""
    python, java = tracks(kernels), [record["faces"] for record in records]
    assert [[face.id for face in faces] for faces in python] == [
        [face["id"] for face in faces] for faces in java
    ]
    apart, turned = distances(python, java)
    scores = [
        abs(a.score - b["score"])
        for left, right in zip(python, java, strict=True)
        for a, b in zip(left, right, strict=True)
    ]
    print(f"{kernels}: median {np.median(apart):.3f}, 99 %: {np.quantile(apart, 0.99):.3f}, most "
          f"{apart.max():.3f} px; pose median {np.median(turned):.3f}, most {turned.max():.3f} "
          f"degrees; score {max(scores):.3f}")  # fmt: skip
    assert len(apart) > 800
    assert np.median(apart) < 0.3 and np.quantile(apart, 0.99) < 1.0 and apart.max() < 3.0
    assert np.median(turned) < 0.05 and np.quantile(turned, 0.999) < 0.6
    # The same crops; OpenCV's are a grey level off here and there, which 112 pixels feel more.
    assert turned.max() < (0.6 if kernels == "numpy" else 1.2)
    assert max(scores) < 0.05


def test_signals_are_pythons(records: list[dict], tracks: Callable) -> None:
    """As far as the points are: an eye is open by some pixels."""
    pairs = [
        (face, record)
        for left, right in zip(tracks("numpy"), records, strict=True)
        for face, record in zip(left, right["faces"], strict=True)
    ]
    java = [list(record["position"].values()) for _, record in pairs]
    python = np.array([face.position for face, _ in pairs])
    moved = np.linalg.norm(java - python, axis=1) / python[:, 2]
    eyes = [
        np.abs(face.eyes - [record["eyes"]["right"], record["eyes"]["left"]]).max()
        for face, record in pairs
    ]
    mouths = [abs(face.mouth - record["mouth"]) for face, record in pairs]
    print(f"position: median {np.median(moved):.2%}, most {moved.max():.2%} of the distance; eyes: "
          f"median {np.median(eyes):.3f}, 99 %: {np.quantile(eyes, 0.99):.3f}; mouths: most "
          f"{max(mouths):.3f}")  # fmt: skip
    assert np.median(moved) < 1e-3 and moved.max() < 0.01
    assert np.median(eyes) < 0.02 and np.quantile(eyes, 0.99) < 0.1
    assert max(mouths) < 0.1


def test_java_is_as_near_to_python_as_pythons_two_kernels_are(
    records: list[dict], tracks: Callable
) -> None:
    own, _ = distances(tracks("numpy"), tracks("opencv"))
    java, _ = distances(tracks("opencv"), [record["faces"] for record in records])
    print(f"mean: Java {java.mean():.3f} px, kernels {own.mean():.3f} px")
    assert java.mean() < 1.3 * own.mean()


def test_records_tell_frame_time_size_and_box(records: list[dict]) -> None:
    assert [record["frame"] for record in records] == list(range(900))
    assert [record["t"] for record in records] == [round(n / FPS, 4) for n in range(900)]
    assert all(record["size"] == [640, 480] for record in records)
    for record in records:
        for face in record["faces"]:
            corners = np.array(face["landmarks"])
            box = [*corners.min(axis=0), *corners.max(axis=0)]
            assert face["box"] == pytest.approx(box, abs=0.011)


@pytest.mark.parametrize("mirror", ["no", "yes"])
def test_a_snapshot_shows_the_frame_with_its_faces(mirror: str, tmp_path: Path) -> None:
    frames = list(itertools.islice(clip(), 740, 745))
    with_frames(
        frames, "Snapshot", "--model", MODEL, "--detector", models.DETECTOR,
        "--mirror", mirror, "--scale", 2, "--out", tmp_path / "picture.png",
    )  # fmt: skip
    drawn = cv2.resize(cv2.imread(str(tmp_path / "picture.png")), None, fx=0.5, fy=0.5)
    expected = frames[-1][:, ::-1] if mirror == "yes" else frames[-1]
    assert np.median(np.abs(drawn.astype(int) - expected)) <= 2
    tracker = FaceTracker(Landmarker.load(), FaceDetector.load(), max_faces=2)
    for index, frame in enumerate(frames):
        faces = tracker.update(frame, index / FPS)
    points = np.rint(np.concatenate([face.landmarks for face in faces])).astype(int)
    x = 639 - points[:, 0] if mirror == "yes" else points[:, 0]
    lighter = drawn[points[:, 1], x].min(axis=1).astype(int) - expected[points[:, 1], x].min(axis=1)
    assert len(points) == 2 * 68 and np.mean(lighter > 20) > 0.8


def test_the_benchmark_tells_stages_and_garbage() -> None:
    """And hardly a frame makes any: those with a new face, and what the JVM does for itself."""
    line = jvm.java(
        "Benchmark", "--model", MODEL, "--detector", models.DETECTOR, "--frames", "-",
        "--rotation", 270, "--warmup", 8, "--passes", 4,
    )  # fmt: skip
    frames = b"".join(map(ppm, itertools.islice(clip(), 60, 150)))
    said = subprocess.run(line, input=frames, capture_output=True, check=True).stdout.decode()
    assert all(stage in said for stage in ("convert", "detect", "crop", "smooth", "draw", "all"))
    clean, every = re.search(r"without garbage: (\d+) of (\d+)", said).groups()
    assert int(every) == 4 * 90 and int(clean) >= 0.95 * 360


BLACK = ppm(np.zeros((48, 64, 3), np.uint8))


@pytest.mark.parametrize(
    "options, frames, message",
    [
        ({"--model": "no.tflite"}, BLACK, "there is no file no.tflite"),
        ({"--model": models.DETECTOR}, BLACK, "carries no asmnet.json"),
        ({"--detector": "broken.tflite"}, BLACK, "not a TFLite model, or it is damaged"),
        ({"--detector": MODEL}, BLACK, "it is another model"),
        ({}, BLACK[:-1], "picture 0 of standard input is cut short"),
        ({}, BLACK + b"P5 ", "picture 1 of standard input is no binary PPM"),
        ({}, b"", "is no binary PPM"),
        ({"--faces": "0"}, BLACK, "--faces 0 is no number of at least 1"),
        ({"--fov": "171"}, BLACK, "a field of view is 1 to 170 degrees, not 171.0"),
        ({"--out": "no/folder/x"}, BLACK, "no/folder/x cannot be written"),
        ({"--quick": "yes"}, BLACK, "'--quick' is none of the options"),
    ],
)
def test_bad_input_is_one_sentence(
    options: dict, frames: bytes, message: str, tmp_path: Path
) -> None:
    """And exit code 2, and no file."""
    broken = bytearray(models.DETECTOR.read_bytes())
    broken[100:4000] = bytes(range(250, 256)) * 650
    (tmp_path / "broken.tflite").write_bytes(broken)
    given = {"--model": MODEL, "--detector": models.DETECTOR, "--frames": "-", "--out": "out.jsonl"}
    line = jvm.java("Run", *[word for pair in (given | options).items() for word in pair])
    done = subprocess.run(line, input=frames, cwd=tmp_path, capture_output=True)
    said = done.stderr.decode()
    assert done.returncode == 2
    assert message in said.splitlines()[-1] and said.splitlines()[-1].startswith("error: ")
    assert "Exception" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["broken.tflite"]
