"""What each recipe does to the network before TensorFlow converts it, with stand-ins for both."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from asmnet.data.images import to_inputs
from asmnet.export import recipes

CROPS = np.random.default_rng(0).integers(90, 160, (5, 4, 4, 3), dtype=np.uint8)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What the recipes called: how they prepared, and the converter of what."""
    taken = SimpleNamespace(prepared=[], converter=None, shown=[])

    def prepare(network, crops, centre, correct=True, progress=None) -> str:
        assert network == "trained" and crops is CROPS
        taken.prepared.append((centre, correct, progress))
        return "prepared"

    def converter_of(network: str) -> SimpleNamespace:
        taken.converter = SimpleNamespace(
            network=network, target_spec=SimpleNamespace(), convert=lambda: b"converted"
        )
        return taken.converter

    def quantize_except(converter, kinds, layers) -> bytes:
        assert (converter, kinds, layers) == (taken.converter, recipes.HEAD, recipes.FUSION)
        return b"quantized"

    def finetune(network, prepared, crops, layers, progress) -> str:
        assert (network, prepared, layers) == ("trained", "prepared", recipes.FLOAT_LAYERS)
        assert crops is CROPS and progress is not None
        return "tuned"

    sets = {"EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8": "16x8"}
    lite = SimpleNamespace(
        Optimize=SimpleNamespace(DEFAULT="default"),
        OpsSet=SimpleNamespace(TFLITE_BUILTINS_INT8="8", **sets),
    )
    tensorflow = SimpleNamespace(lite=lite, int8="int8", float16="float16")
    monkeypatch.setitem(sys.modules, "tensorflow", tensorflow)
    finetuning = SimpleNamespace(finetune=finetune)
    monkeypatch.setitem(sys.modules, "asmnet.export.qat.finetune", finetuning)
    for stand_in in (prepare, converter_of, quantize_except):
        monkeypatch.setattr(recipes, stand_in.__name__, stand_in)
    monkeypatch.setattr(recipes, "quantize_float_kernels", lambda content: b"packed " + content)
    return taken


def made(steps: SimpleNamespace, recipe: str) -> bytes:
    def progress(items: Iterable[Any], label: str) -> Iterable[Any]:
        steps.shown.append(label)
        return items

    steps.progress = progress
    return recipes.RECIPES[recipe]("trained", CROPS, progress)


@pytest.mark.parametrize(
    ("recipe", "centre", "network", "content"),
    [
        ("int16x8", False, "prepared", b"converted"),
        ("full_int8", False, "prepared", b"converted"),
        ("int8", True, "prepared", b"packed quantized"),
        ("qat_int8", True, "tuned", b"packed quantized"),
    ],
)
def test_streams_are_centred_where_the_poolings_stay_float(
    steps, recipe: str, centre: bool, network: str, content: bytes
) -> None:
    assert made(steps, recipe) == content
    assert steps.prepared == [(centre, True, steps.progress)]
    assert steps.converter.network == network
    assert steps.converter.optimizations == ["default"]


@pytest.mark.parametrize("recipe", ["float32", "float16"])
def test_float_recipes_convert_the_network_as_it_is(steps, recipe: str) -> None:
    assert made(steps, recipe) == b"converted"
    assert steps.prepared == [] and steps.converter.network == "trained"
    assert not hasattr(steps.converter, "representative_dataset")


@pytest.mark.parametrize("recipe", ["int16x8", "qat_int8", "int8", "full_int8"])
def test_calibration_sees_every_crop_and_the_whole_range_of_pixels(steps, recipe: str) -> None:
    before = CROPS.copy()
    made(steps, recipe)
    inputs = [value for (value,) in steps.converter.representative_dataset()]
    assert {value.shape for value in inputs} == {(1, 4, 4, 3)} and len(inputs) == len(CROPS)
    assert (inputs[0].min(), inputs[0].max()) == (-1, 1)
    np.testing.assert_array_equal(inputs[0][0, 1:], to_inputs(CROPS[:1])[0, 1:])
    np.testing.assert_array_equal(np.concatenate(inputs[1:]), to_inputs(CROPS[1:]))
    np.testing.assert_array_equal(CROPS, before)
    assert steps.shown == ["calibrating"]


@pytest.mark.parametrize(
    ("recipe", "centre"), [("int8", True), ("qat_int8", True), ("full_int8", False)]
)
def test_what_a_recipe_rounds_is_shown_before_it_is_rounded(
    steps, recipe: str, centre: bool
) -> None:
    assert recipes.prepared_float("trained", recipe, CROPS) == b"converted"
    ((centred, corrected, _progress),) = steps.prepared
    assert (centred, corrected) == (centre, False)
    assert steps.converter.network == "prepared"


def test_what_converters_are_asked_for(steps) -> None:
    made(steps, "float16")
    assert steps.converter.optimizations == ["default"]
    assert steps.converter.target_spec.supported_types == ["float16"]
    made(steps, "int16x8")
    assert steps.converter.target_spec.supported_ops == ["16x8"]
    made(steps, "full_int8")
    assert steps.converter.target_spec.supported_ops == ["8"]
    assert steps.converter.inference_input_type == "int8"
    assert steps.converter.inference_output_type == "int8"
