from __future__ import annotations

import importlib.metadata
import math
import re
from pathlib import Path

import numpy as np
import pytest

from asmnet import models
from asmnet.core import UserError, read_spec
from asmnet.edge_runtime import FaceDetector, Landmarker
from asmnet.edge_runtime import interpreter as module
from asmnet.edge_runtime.interpreter import Network, load_interpreter, require_numbers


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


class Tensors:
    """An interpreter with an input of 1 x 4 x 4 x 3 and outputs of any types."""

    def __init__(self, *outputs: np.ndarray, scale: float = 0.0, zero_point: int = 0) -> None:
        self.outputs = outputs
        self.quantization = (scale, zero_point)
        self.inputs = [{"name": "in", "index": 7, "shape": np.array([1, 4, 4, 3])}]
        self.given: dict[int, np.ndarray] = {}
        self.runs = 0

    def get_input_details(self) -> list[dict]:
        return self.inputs

    def get_output_details(self) -> list[dict]:
        return [
            {
                "name": f"out{i}",
                "index": i,
                "shape": np.array(value.shape),
                "quantization": self.quantization,
            }
            for i, value in enumerate(self.outputs)
        ]

    def set_tensor(self, index: int, tensor: np.ndarray) -> None:
        self.given[index] = tensor

    def invoke(self) -> None:
        self.runs += 1

    def get_tensor(self, index: int) -> np.ndarray:
        return self.outputs[index]


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch):
    """A network over an interpreter of the test's own."""

    def over(tensors: Tensors, model: str | bytes = "face.tflite") -> Network:
        monkeypatch.setattr(module, "load_interpreter", lambda *arguments: tensors)
        return Network(model)

    return over


def test_a_run_gives_the_picture_to_the_input(network):
    tensors = Tensors(np.zeros((1, 6), np.float32))
    picture = np.ones((1, 4, 4, 3), np.float32)
    network(tensors).run(picture)
    assert tensors.given[7] is picture and tensors.runs == 1


@pytest.mark.parametrize("kind", [np.int8, np.uint8])
def test_integer_outputs_are_told_in_real_numbers(network, kind: type):
    """Scale times the distance from the zero point, also where bytes would overflow."""
    tensors = Tensors(np.array([[0, 3, 100]], kind), scale=0.5, zero_point=3)
    value = network(tensors).output("out0")
    assert value.dtype == np.float32
    np.testing.assert_array_equal(value, [[-1.5, 0, 48.5]])


def test_real_outputs_are_told_as_they_are(network):
    tensors = Tensors(np.array([[0.5, -2]], np.float32), np.zeros((1, 2), np.float32), scale=9.0)
    np.testing.assert_array_equal(network(tensors).output("out0"), [[0.5, -2]])


def test_a_network_of_two_inputs_is_another_model(network):
    tensors = Tensors()
    tensors.inputs *= 2
    with pytest.raises(UserError, match=r"^face\.tflite has 2 inputs, not 1; it is another model$"):
        network(tensors)


def test_the_expected_tensors_are_accepted(network):
    tensors = Tensors(np.zeros((1, 6), np.float32), np.zeros((1, 3), np.float32))
    network(tensors).require(4, 3, {"out1": (1, 3), "out0": (1, 6)})


@pytest.mark.parametrize(
    ("size", "channels", "outputs"),
    [
        (5, 3, {"out0": (1, 6)}),
        (4, 1, {"out0": (1, 6)}),
        (4, 3, {"out0": (1, 7)}),
        (4, 3, {"out0": (6,)}),
        (4, 3, {"out0": (1, 6), "out1": (1, 3)}),
    ],
    ids=["size", "channels", "length", "dimensions", "name"],
)
def test_other_tensors_are_another_model(
    network, size: int, channels: int, outputs: dict[str, tuple[int, ...]]
):
    with pytest.raises(UserError, match=r"^face\.tflite .*it is another model$"):
        network(Tensors(np.zeros((1, 6), np.float32))).require(size, channels, outputs)


@pytest.mark.parametrize("error", [ValueError, RuntimeError])
@pytest.mark.parametrize("step", ["set_tensor", "invoke"])
def test_a_run_that_fails_is_one_sentence(
    network, error: type[Exception], step: str, monkeypatch: pytest.MonkeyPatch
):
    def fail(*arguments: object) -> None:
        raise error("node 3\n failed")

    tensors = Tensors()
    monkeypatch.setattr(tensors, step, fail)
    with pytest.raises(UserError, match=r"^face\.tflite cannot be run, .* \(node 3 failed\);"):
        network(tensors).run(np.zeros((1, 4, 4, 3), np.float32))


def test_a_model_of_bytes_has_a_name_for_messages(network):
    assert network(Tensors(), b"...").name == "the given model"


def test_more_threads_are_no_other_answer():
    square = np.random.default_rng(0).uniform(-1, 1, (1, 128, 128, 3)).astype(np.float32)
    one, two = (Network(models.DETECTOR, threads) for threads in (1, 2))
    for network in (one, two):
        network.run(square)
    np.testing.assert_allclose(one.output("regressors"), two.output("regressors"), atol=1e-3)


def test_inner_tensors_can_be_read_if_they_are_kept():
    square = np.zeros((1, 128, 128, 3), np.float32)
    network = Network(models.DETECTOR, xnnpack=False, keep_tensors=True)
    network.run(square)
    for detail in network.interpreter.get_tensor_details():
        if detail["shape"].size:
            network.interpreter.get_tensor(detail["index"])


def test_the_interpreter_tells_its_version():
    name, version = module.interpreter_version().split(" ")
    assert importlib.metadata.version(name) == version


@pytest.mark.parametrize("answer", [math.nan, math.inf, -math.inf, 1e6, -1e6])
def test_answers_that_are_no_numbers_are_one_sentence(answer: float):
    sound, damaged = np.zeros((2, 3), np.float32), np.array([0, answer], np.float32)
    with pytest.raises(UserError, match=rf"^face answers {re.escape(f'{answer:.3g}')}, .* damaged"):
        require_numbers("face", sound, damaged)
    require_numbers("face", sound, np.array([[999_999, -999_999]]))
