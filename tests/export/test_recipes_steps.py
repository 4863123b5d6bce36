"""What each recipe does to the network before it is converted, with stand-ins for the rest."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from asmnet.export import recipes

CROPS = np.random.default_rng(0).integers(90, 160, (5, 4, 4, 3), dtype=np.uint8)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What the recipes called: how they prepared, what they converted and how they quantized."""
    taken = SimpleNamespace(prepared=[], converter=None, quantized=[])

    def prepare(network, crops, centre, correct=True, progress=None) -> str:
        assert network == "trained" and crops is CROPS
        taken.prepared.append((centre, correct, progress))
        return "prepared"

    def converter_of(network: str) -> SimpleNamespace:
        taken.converter = SimpleNamespace(
            network=network, target_spec=SimpleNamespace(), convert=lambda: b"converted"
        )
        return taken.converter

    def quantize(content, crops, progress, integer, layers="^", bits=8) -> bytes:
        assert content == b"converted" and crops is CROPS and progress is taken.progress
        taken.quantized.append((set(integer), layers, bits))
        return b"quantized"

    def finetune(network, prepared, crops, layers, progress) -> str:
        assert (network, prepared, layers) == ("trained", "prepared", recipes.FLOAT_LAYERS)
        assert crops is CROPS and progress is not None
        return "tuned"

    tensorflow = SimpleNamespace(
        lite=SimpleNamespace(Optimize=SimpleNamespace(DEFAULT="default")), float16="float16"
    )
    monkeypatch.setitem(sys.modules, "tensorflow", tensorflow)
    finetuning = SimpleNamespace(finetune=finetune)
    monkeypatch.setitem(sys.modules, "asmnet.export.qat.finetune", finetuning)
    for stand_in in (prepare, converter_of, quantize):
        monkeypatch.setattr(recipes, stand_in.__name__, stand_in)
    return taken


def made(steps: SimpleNamespace, recipe: str) -> bytes:
    def progress(items: Iterable[Any], label: str) -> Iterable[Any]:
        return items

    steps.progress = progress
    return recipes.RECIPES[recipe]("trained", CROPS, progress)


@pytest.mark.parametrize(
    ("recipe", "centre", "network"),
    [
        ("int16x8", False, "prepared"),
        ("full_int8", False, "prepared"),
        ("int8", True, "prepared"),
        ("qat_int8", True, "tuned"),
    ],
)
def test_streams_are_centred_where_the_poolings_stay_float(
    steps, recipe: str, centre: bool, network: str
) -> None:
    assert made(steps, recipe) == b"quantized"
    assert steps.prepared == [(centre, True, steps.progress)]
    assert steps.converter.network == network
    ((integer, _, _),) = steps.quantized
    assert ("MEAN" in integer) is not centre


@pytest.mark.parametrize("recipe", ["float32", "float16"])
def test_float_recipes_convert_the_network_as_it_is(steps, recipe: str) -> None:
    assert made(steps, recipe) == b"converted"
    assert steps.prepared == steps.quantized == [] and steps.converter.network == "trained"


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


def test_float16_is_asked_for(steps) -> None:
    made(steps, "float16")
    assert steps.converter.optimizations == ["default"]
    assert steps.converter.target_spec.supported_types == ["float16"]
