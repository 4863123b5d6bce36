"""Each recipe makes the operations and types that its name promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import cv2
import keras
import numpy as np
import pytest

from asmnet.cli.progress import no_progress, suppress_output
from asmnet.core import ModelSpec, UserError, read_spec
from asmnet.edge_runtime.interpreter import load_interpreter
from asmnet.evaluate import FaceSet
from asmnet.export import RECIPES, convert
from asmnet.export.convert import output_names
from asmnet.export.quantizer import quantize
from asmnet.export.weights.bias_correction import rounded

Convert = Callable[[str], bytes]
# (operation, its output's type) of ASMNet's trunk: 16 blocks, batch norms folded.
TRUNK = {"CONV_2D": 32, "DEPTHWISE_CONV_2D": 16, "ADD": 10}
HEAD = {"MEAN": 6, "CONCATENATION": 1, "FULLY_CONNECTED": 2}


@pytest.fixture
def made(conversions, tiny: tuple[keras.Model, ModelSpec], tiny_crops: np.ndarray) -> Convert:
    """What a recipe makes of the small network."""

    def by(recipe: str) -> bytes:
        with suppress_output():
            return conversions[recipe](tiny[0], tiny_crops, no_progress)

    return by


def operations(content: bytes) -> Counter[tuple[str, str]]:
    """How often each (operation, type of its output) occurs, without XNNPACK's rewriting."""
    interpreter = load_interpreter(content, xnnpack=False)
    types = {t["index"]: np.dtype(t["dtype"]).name for t in interpreter.get_tensor_details()}
    return Counter(
        (op["op_name"], types[op["outputs"][0]]) for op in interpreter._get_ops_details()
    )


def test_float32_is_the_folded_network(made: Convert) -> None:
    expected = {(op, "float32"): count for op, count in (TRUNK | HEAD).items()}
    assert operations(made("float32")) == expected


def test_int8_has_an_integer_trunk_and_a_float_head(made: Convert) -> None:
    expected = {(op, "int8"): count for op, count in TRUNK.items()}
    expected |= {(op, "float32"): count for op, count in HEAD.items()}
    # The six taps leave the integers once each, and so do the two heads' kernels.
    assert operations(made("int8")) == expected | {("DEQUANTIZE", "float32"): 6 + 2}


def test_int8_of_the_fusion_that_keeps_positions(spatial, tiny_crops: np.ndarray) -> None:
    """Poolings as for asmnet; three projections and two additions more, in float like the heads."""
    crops = np.stack([cv2.resize(crop, (80, 80)) for crop in tiny_crops])
    with suppress_output():
        content = RECIPES["int8"](spatial, crops, no_progress)
    expected = {(op, "int8"): count for op, count in TRUNK.items()}
    fusion = {"CONV_2D": 3, "ADD": 2, "RESHAPE": 1, "MEAN": 6, "CONCATENATION": 1}
    fusion["FULLY_CONNECTED"] = 2
    expected |= {(op, "float32"): count for op, count in fusion.items()}
    # Eight taps, one of them both pooled and projected, and five kernels.
    assert operations(content) == expected | {("DEQUANTIZE", "float32"): 8 + 5}
    shapes = {tuple(d["shape"]) for d in load_interpreter(content).get_output_details()}
    assert shapes == {(1, 196), (1, 3)}


def test_float_layers_keep_rounded_kernels(made: Convert, tiny, tiny_crops) -> None:
    """Float convolutions and heads whose kernels are the int8 ones."""
    network = tiny[0]
    packed = quantize(made("float32"), tiny_crops[:1], no_progress, integer=())
    assert len(packed) < 0.32 * len(made("float32"))
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    for layer in copy.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            kernel, *rest = layer.get_weights()
            layer.set_weights([rounded(kernel, tuple(range(kernel.ndim - 1))), *rest])
    image = np.float32(tiny_crops[:1]) / 127.5 - 1
    interpreter = load_interpreter(packed)
    (taken,) = interpreter.get_input_details()
    interpreter.set_tensor(taken["index"], image)
    interpreter.invoke()
    wanted = copy.predict_on_batch(image)
    for output in interpreter.get_output_details():
        name = "pose" if output["shape"][-1] == 3 else "landmarks"
        found = interpreter.get_tensor(output["index"])
        np.testing.assert_allclose(found, wanted[name], rtol=1e-3, atol=1e-4)


def test_full_int8_has_integers_only(made: Convert) -> None:
    expected = {(op, "int8"): count for op, count in (TRUNK | HEAD).items()}
    assert operations(made("full_int8")) == expected


@pytest.mark.parametrize(
    ("recipe", "given", "answered"),
    [
        ("float32", np.float32, np.float32),
        ("int16x8", np.float32, np.float32),
        ("int8", np.int8, np.float32),
        ("full_int8", np.int8, np.int8),
    ],
)
def test_inputs_and_outputs(made: Convert, recipe: str, given: type, answered: type) -> None:
    interpreter = load_interpreter(made(recipe))
    (taken,) = interpreter.get_input_details()
    assert taken["dtype"] is given
    assert tuple(taken["shape_signature"]) == (1, 64, 64, 3)
    landmarks, pose = output_names(made(recipe))
    shapes = {d["name"]: tuple(d["shape"]) for d in interpreter.get_output_details()}
    assert shapes == {landmarks: (1, 136), pose: (1, 3)}
    assert {d["dtype"] for d in interpreter.get_output_details()} == {answered}


def test_ranges_are_the_extremes_of_all_crops(made: Convert, tiny_crops: np.ndarray) -> None:
    """Not an average: one face that looks elsewhere than the others counts as much as they do."""
    content = made("float32")
    shown: list[str] = []

    def progress(items, label):
        shown.append(label)
        return items

    quantized = quantize(content, tiny_crops, progress, ("INPUT", *TRUNK, *HEAD, "OUTPUT"))
    assert shown == ["calibrating"]
    exact = load_interpreter(content).get_signature_runner()
    poses = [exact(image=np.float32(crop[None]) / 127.5 - 1)["pose"] for crop in tiny_crops]
    details = load_interpreter(quantized).get_signature_runner().get_output_details()
    scale, zero_point = details["pose"]["quantization"]
    reached = (np.array([-128, 127]) - zero_point) * scale
    wanted = min(np.min(poses), 0), max(np.max(poses), 0)
    np.testing.assert_allclose(reached, wanted, atol=1.5 * scale)


@pytest.mark.parametrize("recipe", ["int8", "full_int8"])
def test_the_inputs_range_is_the_contracts(tiny, tiny_crops: np.ndarray, recipe: str) -> None:
    """Whatever the crops reach: else brighter and darker pictures than these would be clipped."""
    dull = np.clip(tiny_crops, 90, 160)
    with suppress_output():
        content = RECIPES[recipe](tiny[0], dull, no_progress)
    (taken,) = load_interpreter(content).get_input_details()
    scale, zero_point = taken["quantization"]
    levels = np.float32([0, 255]) / 127.5 - 1
    np.testing.assert_allclose(levels / scale + zero_point, [-128, 127], atol=0.6)


def test_the_file_carries_its_contract(tiny, tiny_crops, tmp_path) -> None:
    network, spec = tiny
    faces = FaceSet(tiny_crops, ("a.jpg",) * len(tiny_crops), "test", spec.landmark_scheme)
    file = tmp_path / "tiny.tflite"
    returned = convert(network, spec, "int8", faces, file)
    embedded = read_spec(file)
    assert embedded == returned
    assert (embedded.input_size, embedded.scheme, embedded.margin) == (64, "ibug68", 1.25)
    assert embedded.name == "asmnet-68-64-int8"
    assert embedded.license == "unknown"
    assert embedded.quantization["recipe"] == "int8"
    assert embedded.quantization["calibration"] == faces.record()


def test_quantizing_needs_calibration(tiny, tmp_path) -> None:
    with pytest.raises(UserError, match="needs calibration faces"):
        convert(*tiny, "int8", None, tmp_path / "x.tflite")
    with pytest.raises(UserError, match="int4.*float32, float16"):
        convert(*tiny, "int4", None, tmp_path / "x.tflite")
    assert not list(tmp_path.iterdir())
