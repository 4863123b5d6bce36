"""Which faces are in which batch, and how they are varied."""

import dataclasses

import numpy as np
import pytest
from training_parts import FACES, MARGIN, RECIPE, SIZE

from asmnet.train.batches import Batches
from asmnet.train.packed import PackedFaces
from asmnet.train.processes import Processes


def test_shares_tell_how_often_faces_are_drawn(packed, shape_model):
    chances = np.array([1.0] * 12 + [3.0] * 12)
    batches = Batches(packed, shape_model, RECIPE, SIZE, MARGIN, 5, chances, crops=4000)
    assert len(batches) == 4000 // RECIPE.batch
    assert np.mean(batches.order >= 12) == pytest.approx(0.75, abs=0.03)
    first = batches.order
    batches.on_epoch_end()
    assert (batches.order != first).any()
    batches.start(0)
    np.testing.assert_array_equal(batches.order, first)


def chosen_by(batches, index=0):
    """Which faces are in a batch: their pictures are all different."""
    known = {image.tobytes(): i for i, image in enumerate(batches.faces.images)}
    return [known[image.tobytes()] for image in batches[index][0]["images"]]


def test_an_epoch_meets_every_face_once(batches):
    assert len(batches) == 3
    assert sorted(chosen_by(batches, 0) + chosen_by(batches, 1) + chosen_by(batches, 2)) == [
        *range(FACES)
    ]


def test_every_epoch_has_another_order(batches):
    first = chosen_by(batches)
    batches.on_epoch_end()
    assert chosen_by(batches) != first


def test_a_resumed_run_meets_the_same_batches(packed, shape_model, batches):
    batches.on_epoch_end()
    resumed = Batches(packed, shape_model, RECIPE, SIZE, MARGIN, seed=5)
    resumed.start(1)
    for known, again in zip(batches[2], resumed[2], strict=True):
        for key, value in known.items():
            np.testing.assert_array_equal(again[key], value)


def test_processes_share_the_rows_of_a_batch(packed, shape_model, batches):
    """Together they have the faces, augmentations and labels that one process has alone."""
    shares = [
        Batches(packed, shape_model, RECIPE, SIZE, MARGIN, 5, rows=Processes(2, i).rows(8))
        for i in range(2)
    ]
    for alone, *parts in zip(batches[1], *(share[1] for share in shares), strict=True):
        for key, value in alone.items():
            together = np.concatenate([part[key] for part in parts])
            np.testing.assert_array_equal(together, value)


def test_the_whole_batch_is_the_same_in_every_process(packed, shape_model, batches):
    rows = Processes(2, 1).rows(8)
    second = Batches(packed, shape_model, RECIPE, SIZE, MARGIN, 5, rows=rows)
    for alone, whole in zip(batches[1], second.whole(1), strict=True):
        for key, value in alone.items():
            np.testing.assert_array_equal(whole[key], value)


def test_another_seed_has_another_order(packed, shape_model, batches):
    other = Batches(packed, shape_model, RECIPE, SIZE, MARGIN, seed=6)
    assert chosen_by(other) != chosen_by(batches)


def test_every_epoch_has_other_warps(batches):
    def mirrored():
        return np.concatenate([batches[i][0]["affine"][:, 0] < 0 for i in range(3)])

    first = mirrored()
    batches.on_epoch_end()
    assert first.any() and not first.all()
    assert (mirrored() != first).any(), "at the same places of the batches"


def test_fewer_faces_than_a_batch_are_repeated(packed, shape_model):
    few = PackedFaces(*(getattr(packed, f.name)[:3] for f in dataclasses.fields(packed)))
    batches = Batches(few, shape_model, RECIPE, SIZE, MARGIN, seed=5)
    assert len(batches) == 1 and set(chosen_by(batches)) == {0, 1, 2}
    assert len(chosen_by(batches)) == RECIPE.batch


def test_points_count_as_much_as_the_labels_say(batches, packed, rng):
    weights = rng.uniform(0, 1, packed.weights.shape).astype(np.float32)
    batches.faces = dataclasses.replace(packed, weights=weights)
    found = batches[0][1]["weights"]
    expected = weights[chosen_by(batches)]  # of mirrored faces in another order
    np.testing.assert_array_equal(np.sort(found, axis=1), np.sort(expected, axis=1))
