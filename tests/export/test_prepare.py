"""What is done to the weights before they are rounded, in which order and with which pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from asmnet.data.images import to_inputs
from asmnet.export.weights import prepare


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The steps that were taken; the network is a word, and its copy another."""
    taken: list[tuple[Any, ...]] = []

    def prune(network: str, crops: np.ndarray) -> str:
        taken.append(("prune", network, crops))
        return "copy"

    def equalize(network: str, images: np.ndarray, centre: bool) -> None:
        taken.append(("equalize", network, images, centre))

    def correct_bias(network: str, images: np.ndarray) -> None:
        taken.append(("correct", network, images))

    for step in (prune, equalize, correct_bias):
        monkeypatch.setattr(prepare, step.__name__, step)
    return taken


def crops(count: int) -> np.ndarray:
    """Crop k has grey level k."""
    return np.arange(count, dtype=np.uint8)[:, None, None, None].repeat(3, axis=-1)


@pytest.mark.parametrize("centre", [True, False])
def test_a_pruned_copy_is_equalized_then_corrected(steps, centre: bool) -> None:
    assert prepare.prepare("network", crops(5), centre) == "copy"
    assert [step[:2] for step in steps] == [
        ("prune", "network"),
        ("equalize", "copy"),
        ("correct", "copy"),
    ]
    assert steps[1][3] is centre


def test_biases_of_float_weights_are_right_already(steps) -> None:
    assert prepare.prepare("network", crops(5), True, correct=False) == "copy"
    assert [step[0] for step in steps] == ["prune", "equalize"]


def test_all_crops_tell_what_is_silent_and_64_of_them_the_rest(steps) -> None:
    given = crops(190)
    prepare.prepare("network", given, True)
    assert steps[0][2] is given
    for step in steps[1:]:
        np.testing.assert_array_equal(step[2], to_inputs(given[::3]))


def test_few_crops_are_all_taken_once(steps) -> None:
    prepare.prepare("network", crops(20), True)
    np.testing.assert_array_equal(steps[1][2], to_inputs(crops(20)))


def test_the_work_is_shown_as_one_step(steps) -> None:
    shown = []

    def progress(items: Any, what: str) -> Any:
        shown.append((len(items), what))
        return items

    prepare.prepare("network", crops(5), True, True, progress)
    assert shown == [(1, "preparing weights")]
