"""Every shipped network, exported anew: each format gives the same landmarks."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from ai_edge_litert.schema_py_generated import ModelT
from click.testing import CliRunner

from asmnet import models
from asmnet.core import read_spec
from asmnet.edge_runtime import Landmarker
from asmnet.edge_runtime.interpreter import load_interpreter
from asmnet.edge_runtime.parity import LIMITS, run_file
from asmnet.evaluate import FaceSet, detected_faces
from asmnet.export import calibration_faces, convert
from asmnet.export.cli import main
from asmnet.export.eval_faces import eval_faces
from asmnet.train.checkpoint import load_float
from asmnet.train.model import TAPS

SPEC_KEYS = ("scheme", "input_size", "margin", "mean", "std", "license")


@pytest.fixture(scope="session", params=models.shipped())
def model(request: pytest.FixtureRequest, conversions) -> str:
    """A shipped name."""
    return request.param


@pytest.fixture(scope="session")
def exported(model: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """What `asmnet-export NAME --quantize` makes of the shipped network, and its report."""
    folder = tmp_path_factory.mktemp("exported")
    file, report = folder / "int8.tflite", folder / "int8.json"
    result = CliRunner().invoke(main, [model, "--quantize", "-o", str(file), "--json", str(report)])
    assert result.exit_code == 0, result.output
    return file, json.loads(report.read_text())


@pytest.fixture(scope="session")
def float_file(model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("float") / "float32.tflite"
    convert(*load_float(models.find(model, ".keras")), "float32", None, file)
    return file


@pytest.fixture(scope="session")
def faces(model: str) -> FaceSet:
    """The faces that the verdict of the command is about."""
    return eval_faces(read_spec(models.find(model)))


def test_every_feature_of_the_network_lives(model: str, faces: FaceSet) -> None:
    """What the heads read differs from face to face; an activation that died never shows else.

    The map that keeps positions once died, all of it.  Of the pools, which are means of linear
    channels, two may fade in a long training: in asmnet-spatial-68-160 they have.
    """
    network, _ = load_float(models.find(model, ".keras"))
    probe = keras.Model(network.input, network.get_layer("features").output)
    features = probe.predict_on_batch(np.float32(faces.images[:40]) / 127.5 - 1)
    spread = features.std(axis=0)
    faded = spread <= 0.01 * np.median(spread)
    pooled = sum(network.get_layer(f"pool_{tap}").output.shape[-1] for tap in TAPS)
    assert not faded[pooled:].any()
    assert faded[:pooled].sum() <= 2


def test_the_gate_passes_on_real_faces(exported: tuple[Path, dict]) -> None:
    parity = exported[1]["parity"]
    assert parity["passed"] is True
    assert parity["faces"]["pictures"] == 35 and parity["faces"]["images"] == 200
    assert parity["figures"]["keras_landmarks"]["value"] <= 1e-4
    size = exported[1]["input"]["size"]
    assert parity["figures"]["shift_mean"]["limit"] == LIMITS["shift_mean"] * size / 224


def test_the_runtime_reproduces_the_recorded_figures(
    exported: tuple[Path, dict], float_file: Path, faces: FaceSet
) -> None:
    file, report = exported
    assert faces.record() == report["parity"]["faces"]
    answers = [run_file(Landmarker.load(path), faces.images) for path in (float_file, file)]
    shift = np.linalg.norm(answers[1][0] - answers[0][0], axis=-1) * faces.images.shape[1]
    turn = np.abs(answers[1][1] - answers[0][1])
    figures = report["parity"]["figures"]
    for key, value in {
        "shift_mean": shift.mean(),
        "shift_p99": np.percentile(shift, 99),
        "shift_max": shift.max(),
        "pose_mean": turn.mean(),
        "pose_max": turn.max(),
    }.items():
        assert figures[key]["value"] == pytest.approx(value, rel=1e-3), key


def test_the_shipped_file_is_this_export(
    model: str, exported: tuple[Path, dict], faces: FaceSet
) -> None:
    file, _ = exported
    fresh, shipped = read_spec(file), read_spec(models.find(model))
    for key in SPEC_KEYS:
        assert getattr(fresh, key) == getattr(shipped, key), key
    for path, spec in ((file, fresh), (models.find(model), shipped)):  # each quantizer's own names
        outputs = {tensor["name"] for tensor in load_interpreter(path).get_output_details()}
        assert {spec.landmarks_tensor, spec.pose_tensor} == outputs
    assert shipped.parity["passed"] is True
    new, _ = run_file(Landmarker.load(file), faces.images[::10])
    old, _ = run_file(Landmarker.load(model), faces.images[::10])
    # Equal to the bit on the machine that made it; elsewhere calibration may round otherwise.
    assert np.linalg.norm(new - old, axis=-1).mean() * faces.images.shape[1] < 0.5


def test_the_constants_are_in_the_flatbuffer(exported: tuple[Path, dict]) -> None:
    """TensorFlow Lite's Java wrappers do not read those that follow it."""
    model = ModelT.InitFromPackedBuf(exported[0].read_bytes(), 0)
    assert not any(buffer.offset or buffer.size for buffer in model.buffers)


def test_the_shipped_file_was_judged_on_other_faces_than_calibrated(model: str) -> None:
    spec = read_spec(models.find(model))
    calibration, judged = spec.quantization["calibration"], spec.parity["faces"]
    assert (calibration["pictures"], judged["pictures"]) == (68, 35)
    assert calibration["sha256"] == calibration_faces(spec).record()["sha256"]
    assert judged["sha256"] == eval_faces(spec).record()["sha256"]


def test_full_int8_follows_except_beyond_the_poses_that_calibrated(tmp_path: Path) -> None:
    """Its outputs cannot leave the range that they had in calibration, and the gate sees that."""
    file = tmp_path / "full.tflite"
    faces = detected_faces(None, 20, read_spec(models.find()), seed=1)
    options = ["--recipe", "full_int8", "--images", "100", "--keep-failed", "-o", str(file)]
    result = CliRunner().invoke(main, options)
    assert result.exit_code == 1, result.output
    pose = read_spec(file).parity["figures"]["pose_max"]
    assert pose["value"] > pose["limit"]
    a, _ = run_file(Landmarker.load(file), faces.images)
    b, _ = run_file(Landmarker.load(), faces.images)
    # Both are within a pixel of the float model on average.
    assert np.linalg.norm(a - b, axis=-1).mean() * faces.images.shape[1] < 2.0
