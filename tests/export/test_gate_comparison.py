"""What the gate compares with what, with stand-ins for the networks: no TensorFlow, no seconds."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from asmnet.core import IBUG68, WFLW98, Crop, ModelSpec, wflw98_to_ibug68
from asmnet.edge_runtime.interpreter import interpreter_version
from asmnet.edge_runtime.parity import run_file
from asmnet.evaluate import FaceSet
from asmnet.export import gate

SPEC = ModelSpec("test", "0", "ibug68", 32, "landmarks", "pose")
FACES = np.arange(3 * 32 * 32 * 3).reshape(3, 32, 32, 3).astype(np.uint8)
SHAPE = np.random.default_rng(0).uniform(-0.4, 0.4, (68, 2))


@dataclass(eq=False)
class StandIn:
    """Answers the same face, moved to the right and turned; also in place of an interpreter."""

    moved: float = 0.0
    turned: float = 0.0
    seconds: float = 0.0
    shape: np.ndarray = field(default_factory=lambda: SHAPE)
    spec: ModelSpec = SPEC
    seen: list[np.ndarray] = field(default_factory=list)

    def raw(self, view: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.seen.append(view)
        return self.shape + [self.moved, 0], np.full(3, self.turned)

    def invoke(self) -> None:
        Clock.now += self.seconds


class Clock:
    now = 0.0


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[Any, StandIn]:
    """The Keras network, its float file and the exported one; tests change their answers."""
    float_file, int8_file = tmp_path / "float.tflite", tmp_path / "int8.tflite"
    float_file.write_bytes(bytes(4_000_000))
    int8_file.write_bytes(bytes(1_000_000))
    known = {
        "keras": StandIn(turned=0.25),
        float_file: StandIn(turned=0.25, seconds=0.004),
        int8_file: StandIn(moved=0.02, turned=0.75, seconds=0.002),
    }

    def predict(network: str, images: np.ndarray, batch: int, progress: Any) -> Any:
        assert (network, batch) == ("keras", 32)
        list(progress([0]))
        return run_file(known["keras"], images)  # type: ignore[arg-type]

    monkeypatch.setitem(sys.modules, "asmnet.train.asm_model", SimpleNamespace(predict=predict))
    monkeypatch.setattr(gate.Landmarker, "load", known.__getitem__)
    monkeypatch.setattr(gate, "load_interpreter", known.__getitem__)
    monkeypatch.setattr(gate.time, "thread_time", lambda: Clock.now)
    return known


def judged(networks: dict[Any, StandIn], itself: bool = False, **faces: Any) -> gate.ParityReport:
    """The report on the exported file, or on the float one itself."""
    keras, float_file, int8_file = networks
    shown: list[str] = []

    def progress(items: Iterable[Any], what: str) -> Iterable[Any]:
        shown.append(what)
        return items

    chosen = FaceSet(FACES, ("a", "b", "c"), "mine", IBUG68, **faces)
    file = float_file if itself else int8_file
    report = gate.measure_parity(keras, float_file, file, chosen, progress)
    steps = ["running Keras", "running TFLite"]
    assert shown == steps + ([] if itself else ["running TFLite", "measuring jitter", "timing"])
    return report


def test_the_exported_file_is_compared_with_the_float_file(networks) -> None:
    report = judged(networks)
    values = {metric.key: metric.value for metric in report.metrics}
    assert values["keras_landmarks"] == values["keras_pose"] == 0
    assert values["shift_mean"] == pytest.approx(0.02 * 32)
    assert values["pose_max"] == pytest.approx(0.5)
    assert not report.passed, "0.64 px at 32 px are too much"
    for found, turned in zip(report.answers, (0.25, 0.75), strict=True):
        np.testing.assert_array_equal(found[1], np.full((3, 3), turned))
    assert report.answers[1][0][2, 5, 0] - report.answers[0][0][2, 5, 0] == pytest.approx(0.02)


def test_the_float_file_is_compared_with_keras(networks) -> None:
    networks["keras"].moved, networks["keras"].turned = 3e-4, 0.32
    landmarks, pose, *_ = judged(networks).metrics
    assert landmarks.key == "keras_landmarks" and landmarks.value == pytest.approx(3e-4)
    assert landmarks.label == "Keras - TFLite float, landmarks, max, units"
    assert pose.key == "keras_pose" and pose.value == pytest.approx(0.07)
    assert pose.label == "Keras - TFLite float, pose, max, °"


def test_a_float_file_is_not_compared_with_itself(networks) -> None:
    report = judged(networks, itself=True)
    assert [metric.key for metric in report.metrics] == ["keras_landmarks", "keras_pose"]
    assert report.passed and report.evaluation == {}
    labelled = judged(networks, itself=True, points=np.stack([SHAPE] * 3)).metrics[2]
    assert (labelled.key, labelled.value, labelled.before) == ("nme", 0, 0)


def test_both_are_judged_on_labels(networks) -> None:
    """The exported file moves every point by 0.02: that over the distance of the eyes."""
    report = judged(networks, points=np.stack([SHAPE] * 3))
    nme = report.metrics[2]
    expected = 100 * 0.02 / float(IBUG68.interocular(SHAPE))
    assert nme.key == "nme" and nme.before == pytest.approx(0)
    assert nme.value == nme.after == pytest.approx(expected)
    assert report.evaluation == {
        "data": "mine",
        "faces": 3,
        "nme": pytest.approx(expected),
        "fr10": 0,
        "auc10": pytest.approx(1 - expected / 10),
    }
    assert report.faces["source"] == "mine" and report.interpreter == interpreter_version()


def test_98_points_are_judged_by_labels_of_68(networks) -> None:
    shape = np.random.default_rng(1).uniform(-0.4, 0.4, (WFLW98.count, 2))
    for network in networks.values():
        network.shape, network.spec = shape, SPEC.replace(scheme="wflw98")
    report = judged(networks, points=np.stack([wflw98_to_ibug68(shape)] * 3))
    assert report.metrics[2].before == pytest.approx(0)


def test_size_and_time_are_told_beside_the_float_files(networks) -> None:
    size, milliseconds = judged(networks).metrics[-2:]
    assert (size.key, size.label) == ("megabytes", "size, MB")
    assert (size.before, size.after, size.value) == (4, 1, 0.25)
    assert (milliseconds.key, milliseconds.label) == ("milliseconds", "time, ms (1 thread)")
    assert milliseconds.before == pytest.approx(4) and milliseconds.after == pytest.approx(2)
    assert milliseconds.value == pytest.approx(2), "how many times faster"
    assert size.limit is milliseconds.limit is None


def test_jitter_is_told_as_the_files_own_and_as_a_ratio(networks, monkeypatch) -> None:
    def measure_jitter(files: list[StandIn], images: np.ndarray, progress: Any) -> list[float]:
        assert files == [networks[float_file], networks[int8_file]] and images is FACES
        return [0.1, 0.2]

    monkeypatch.setattr(gate, "measure_jitter", measure_jitter)
    keras, float_file, int8_file = networks
    shown = FaceSet(FACES, ("a", "b", "c"), "mine", IBUG68)
    metrics = {m.key: m for m in gate.measure_parity(keras, float_file, int8_file, shown).metrics}
    jitter, ratio = metrics["jitter"], metrics["jitter_ratio"]
    assert (jitter.before, jitter.value, jitter.limit) == (0.1, 0.2, 0.45)
    assert (ratio.value, ratio.limit) == (2.0, None)
    assert ratio.label == "jitter, exported : float"


@dataclass(eq=False)
class WrongOnFirst(StandIn):
    """Turned only on the first face that it is shown."""

    def raw(self, view: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        points, pose = super().raw(view)
        return points, pose * (len(self.seen) == 1)


def test_the_faces_that_the_file_carries_must_pass_by_themselves(networks, monkeypatch) -> None:
    """Or a file leaves the gate whose own check, `asmnet verify`, fails on a device."""
    monkeypatch.setattr(gate, "measure_jitter", lambda files, images, _: [0.1] * len(files))
    keras, float_file, int8_file = networks
    networks["keras"].turned = networks[float_file].turned = 0.0
    faces = FaceSet(FACES, ("a", "b", "c"), "mine", IBUG68, warped=2)

    def report_of(turned: float, faces: FaceSet) -> gate.ParityReport:
        networks[int8_file] = WrongOnFirst(turned=turned, seconds=0.002)
        return gate.measure_parity(keras, float_file, int8_file, faces)

    assert report_of(0.6, faces).passed, "0.2 degrees on average"
    faces = replace(faces, crops=(Crop(16, 16, 32),))
    report = report_of(0.6, faces)
    assert not report.passed
    (failing,) = (metric for metric in report.metrics if not metric.passed)
    assert failing.key == "carried_pose_mean" and failing.value == pytest.approx(0.6)
    assert failing.label == "pose shift, mean, °, carried faces"
    report = report_of(0.29, faces)
    assert report.passed and not any("carried" in metric.key for metric in report.metrics)


def test_a_file_is_run_on_every_crop_in_order() -> None:
    network, shown = StandIn(turned=7.0), []

    def progress(items: Iterable[Any], what: str) -> Iterable[Any]:
        shown.append(what)
        return items

    points, pose = run_file(network, FACES, progress)  # type: ignore[arg-type]
    np.testing.assert_array_equal(np.stack(network.seen), FACES)
    np.testing.assert_array_equal(points, np.stack([SHAPE] * 3))
    np.testing.assert_array_equal(pose, np.full((3, 3), 7.0))
    assert shown == ["running TFLite"]
