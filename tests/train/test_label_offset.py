"""Labels that lie to one side: seen by what is judged and saved, not by the training."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from training_parts import MARGIN, SIZE, make_network

from asmnet.core import Crop
from asmnet.data.datasets import read_dataset
from asmnet.data.images import crop_faces
from asmnet.train.asm_model import predict
from asmnet.train.label_offset import LabelOffset


@pytest.fixture
def faces(labels):
    return read_dataset(labels[0]).faces


def aside(network, faces):
    """(N, 2) how far the labels lie beside the answers, crop units, on average."""
    images, points, _ = crop_faces(faces, SIZE, MARGIN)
    return (points - predict(network, images)[0]).mean(axis=0)


def test_answers_move_to_the_side_by_what_the_labels_do(faces):
    network = make_network()
    before = aside(network, faces)
    with LabelOffset(network, faces, MARGIN).added() as offset:
        after = aside(network, faces)
    assert offset == pytest.approx(before[:, 0].mean(), abs=1e-6) != 0
    assert after[:, 0].mean() == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(before - after, np.tile([offset, 0], (68, 1)), atol=1e-5)


def test_the_network_is_as_before_whatever_happens(faces):
    network = make_network()
    before = network.get_weights()
    with pytest.raises(OSError), LabelOffset(network, faces, MARGIN).added():
        raise OSError("disk full")
    for weights, own in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weights, own)


def test_points_count_as_they_do_in_training(faces):
    """A point that a turn hides has a label, but nobody saw it there."""
    network = make_network()
    everything = LabelOffset(network, faces, MARGIN).measure()
    weights = np.arange(68) % 2
    images, points, _ = crop_faces(faces, SIZE, MARGIN)
    errors = (points - predict(network, images)[0])[..., 0]
    seen = LabelOffset(network, [replace(f, weights=weights) for f in faces], MARGIN).measure()
    assert seen == pytest.approx(errors[:, 1::2].mean(), abs=1e-6) != everything


def test_many_faces_are_not_all_looked_at(faces, monkeypatch):
    monkeypatch.setattr("asmnet.train.label_offset.MEASURED_ON", 10)
    network, middle = make_network(), Crop.around(faces[0].points, MARGIN)
    shifted = [
        replace(f, points=f.points + (0.1 * middle.side * (i % 4 > 0), 0))
        for i, f in enumerate(faces)
    ]
    few = LabelOffset(network, shifted, MARGIN).measure()
    assert few == pytest.approx(LabelOffset(network, shifted[::4], MARGIN).measure(), abs=1e-6)


def test_observers_see_it_at_the_end_of_each_epoch(faces):
    """Beside averaged weights, which are swapped in before and out again after."""
    seen = []

    class Observer(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(float(aside(self.model, faces)[:, 0].mean()))

    def trained(observe):
        network = make_network()
        network.compile(keras.optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.5), "mse")
        network.optimizer.build(network.trainable_variables)
        observers = LabelOffset(network, faces, MARGIN).around([Observer()]) if observe else []
        callbacks = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True), *observers]
        network.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, callbacks=callbacks)
        return network.get_weights()

    x = np.random.default_rng(0).normal(0, 1, (16, SIZE, SIZE, 3)).astype(np.float32)
    y = {"landmarks": np.ones((16, 136), np.float32), "pose": np.ones((16, 3), np.float32)}
    for weights, own in zip(trained(observe=True), trained(observe=False), strict=True):
        np.testing.assert_allclose(weights, own, atol=1e-6)
    assert seen == pytest.approx([0, 0], abs=1e-6)
