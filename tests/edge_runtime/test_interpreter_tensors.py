"""What goes into a network and what comes out, over an interpreter of the test's own."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from asmnet.core import UserError
from asmnet.edge_runtime import interpreter as module
from asmnet.edge_runtime.interpreter import Network, require_numbers


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


@pytest.mark.parametrize("answer", [math.nan, math.inf, -math.inf, 1e6, -1e6])
def test_answers_that_are_no_numbers_are_one_sentence(answer: float):
    sound, damaged = np.zeros((2, 3), np.float32), np.array([0, answer], np.float32)
    with pytest.raises(UserError, match=rf"^face answers {re.escape(f'{answer:.3g}')}, .* damaged"):
        require_numbers("face", sound, damaged)
    require_numbers("face", sound, np.array([[999_999, -999_999]]))
