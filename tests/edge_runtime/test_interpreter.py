from __future__ import annotations

import importlib.metadata
from pathlib import Path

import numpy as np
import pytest

from asmnet import models
from asmnet.core import UserError, read_spec
from asmnet.edge_runtime import FaceDetector, Landmarker
from asmnet.edge_runtime import interpreter as module
from asmnet.edge_runtime.interpreter import Network, load_interpreter


@pytest.mark.parametrize("kept", [0, 4, 100, 100_000], ids=lambda n: f"{n} bytes")
def test_a_truncated_model_is_refused(kept: int, tmp_path: Path):
    path = tmp_path / "cut.tflite"
    path.write_bytes(models.DETECTOR.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"cut\.tflite"):
        load_interpreter(path)


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_model_is_refused(seed: int, tmp_path: Path):
    rng = np.random.default_rng(seed)
    content = bytearray(models.DETECTOR.read_bytes())
    for place in rng.integers(8, 2000, 30):
        content[place] = rng.integers(256)
    with pytest.raises(UserError, match="corrupt"):
        load_interpreter(bytes(content))


def test_a_missing_model_is_named(tmp_path: Path):
    with pytest.raises(UserError, match=r"nowhere\.tflite: No such file"):
        load_interpreter(tmp_path / "nowhere.tflite")


def test_no_threads_is_refused():
    with pytest.raises(UserError, match="0 threads"):
        load_interpreter(models.DETECTOR, threads=0)


def test_a_landmarker_is_no_detector_and_the_reverse(model: Path):
    with pytest.raises(UserError, match="another model"):
        FaceDetector.load(model)
    with pytest.raises(UserError, match=r"carries no asmnet\.json"):
        Landmarker.load(models.DETECTOR)
    with pytest.raises(UserError, match="another model"):
        Landmarker(Network(models.DETECTOR), read_spec(model))


def test_kernels_without_xnnpack_give_nearly_the_same_boxes():
    square = np.zeros((1, 128, 128, 3), np.float32)
    fast, plain = (Network(models.DETECTOR, xnnpack=x) for x in (True, False))
    for network in (fast, plain):
        network.run(square)
    np.testing.assert_allclose(fast.output("regressors"), plain.output("regressors"), atol=0.1)


def test_an_unknown_interpreter_name_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ASMNET_INTERPRETER", "tensorrt")
    with pytest.raises(UserError, match="ASMNET_INTERPRETER='tensorrt' is none of ai-edge-litert"):
        load_interpreter(models.DETECTOR)


def test_without_any_interpreter_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ASMNET_INTERPRETER", raising=False)
    monkeypatch.setattr(
        module, "_MODULES", {"ai-edge-litert": "no_such_a", "tflite-runtime": "no_such_b"}
    )
    with pytest.raises(UserError, match="pip install ai-edge-litert"):
        load_interpreter(models.DETECTOR)


def test_tflite_runtime_beside_numpy_2_is_explained_before_it_dies(
    monkeypatch: pytest.MonkeyPatch,
):
    version = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata, "version", lambda p: "2.14.0" if p == "tflite-runtime" else version(p)
    )
    monkeypatch.setattr(np, "__version__", "2.4.6")
    monkeypatch.setenv("ASMNET_INTERPRETER", "tflite-runtime")
    with pytest.raises(UserError, match="tflite-runtime 2.14.0 cannot run beside numpy 2.4.6"):
        load_interpreter(models.DETECTOR)
