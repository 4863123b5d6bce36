"""The training loop's parts, on networks of a few weights."""

import dataclasses
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image
from training_parts import FACES, MARGIN, RECIPE, SIZE, make_network

from asmnet.core import IBUG68, nme
from asmnet.data.faces import LabelledFace
from asmnet.data.images import crop_faces
from asmnet.train import augment
from asmnet.train.asm_model import AsmTrainingModel, build, predict, use_all_devices
from asmnet.train.batches import Batches
from asmnet.train.callbacks import Schedule, Validation
from asmnet.train.loss import total_loss
from asmnet.train.statistics import estimate_statistics, settle_statistics
from asmnet.train.warm_start import fit_heads, shrink_heads


def make_model(assist=True, frozen=False, recipe=RECIPE):
    model = AsmTrainingModel(make_network(), recipe, assist=assist, frozen=frozen)
    model.compile("adam")
    return model


def alphas(fine_tuning, epochs):
    model, found = make_model(), []
    schedule = Schedule(epochs, fine_tuning)
    schedule.set_model(model)
    for epoch in range(epochs):
        schedule.on_epoch_begin(epoch)
        found.append(float(ops.convert_to_numpy(model.alpha)))
    return found


def test_the_asm_term_fades_by_thirds():
    assert alphas(fine_tuning=False, epochs=9) == [2, 2, 2, 1, 1, 1, 0.5, 0.5, 0.5]


def test_fine_tuning_stays_in_the_last_third():
    assert alphas(fine_tuning=True, epochs=3) == [0.5] * 3


@pytest.mark.parametrize("assist, weight", [(True, 2.0), (False, 0.0)])
def test_without_assistance_the_asm_term_does_not_count(batches, assist, weight):
    model = make_model(assist, recipe=dataclasses.replace(RECIPE, point_loss="wing"))
    model.alpha.assign(2.0)
    inputs, targets = batches[0]
    outputs = model(inputs)
    expected = total_loss(targets, outputs, weight, "wing")
    assert float(model.compute_loss(y=targets, y_pred=outputs)) == pytest.approx(float(expected))


@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_statistics_do_not_move(batches, frozen):
    model = make_model(frozen=frozen)
    norm = model.network.get_layer("norm")
    before = norm.get_weights()[2].copy()
    model(batches[0][0], training=True)
    assert np.array_equal(norm.get_weights()[2], before) == frozen


def test_outside_of_a_training_a_network_normalises_by_its_statistics(batches):
    model = make_model()
    expected = model.network(network_inputs(batches, 0), training=False)
    for name, values in model(batches[0][0]).items():
        np.testing.assert_allclose(values, expected[name], atol=1e-5)


def test_the_network_alone_learns():
    """The optimizer leaves the count of epochs alone, which begins with 0, and the loss' weight."""
    model = make_model()
    assert len(model.trainable_variables) == len(model.network.trainable_variables)
    assert float(model.finished) == 0


def network_inputs(batches, index):
    """What the network sees of a batch."""
    inputs = {key: ops.convert_to_tensor(value) for key, value in batches[index][0].items()}
    return augment.apply(inputs["images"], inputs, SIZE)


def test_statistics_are_the_plain_mean_over_the_batches(batches):
    """Of each batch's own, however little of the present weights the moving ones had seen."""
    model = make_model()
    build(model, batches)
    network = model.network
    layer, norm = network.layers[1], network.get_layer("norm")
    means, variances = [], []
    for i in range(len(batches)):
        x = ops.convert_to_numpy(layer(network_inputs(batches, i)))
        means.append(x.mean(axis=(0, 1, 2)))
        variances.append(x.var(axis=(0, 1, 2)))
    estimate_statistics(model, batches)
    np.testing.assert_allclose(norm.get_weights()[2], np.mean(means, axis=0), atol=1e-4)
    np.testing.assert_allclose(norm.get_weights()[3], np.mean(variances, axis=0), rtol=1e-3)
    assert norm.momentum == 0.9, "training goes on as before"


def test_a_network_without_the_head_takes_the_new_faces_statistics(batches):
    """Errors of a head that has learned nothing do not tell whether the old ones would do."""
    model, errors = make_model(frozen=True), iter([5.0, 6.0])
    norm = model.network.get_layer("norm")
    own = norm.get_weights()
    estimate_statistics(model, batches)
    expected = norm.get_weights()
    norm.set_weights(own)
    validation = SimpleNamespace(measure=lambda: {"val_nme": next(errors)})
    settle_statistics(model, batches, {"norm"}, validation)
    np.testing.assert_allclose(norm.get_weights(), expected, atol=1e-6)


@pytest.fixture
def regression(packed, shape_model):
    """Makes a model of so many features, faces whose poses they tell exactly, and both."""

    def make(count):
        recipe = dataclasses.replace(RECIPE, batch=FACES, augmentation=augment.Augmentation())
        model = AsmTrainingModel(make_network(count), recipe, assist=False, frozen=True)
        batches = Batches(packed, shape_model, recipe, SIZE, MARGIN, seed=5)
        trunk = keras.Model(model.network.input, model.network.get_layer("features").output)
        features = ops.convert_to_numpy(trunk(network_inputs(batches, 0)))
        pose = features @ np.random.default_rng(0).normal(size=(count, 3)) + (5, -3, 2)
        labels = np.empty((FACES, 3), np.float32)
        labels[batches.order] = pose
        batches.faces = dataclasses.replace(packed, pose=labels)
        return model, batches, features, pose

    return make


def test_new_heads_start_from_the_regression_of_the_labels(regression):
    """Where features tell the pose exactly, so does the new head; unlabelled faces are left out."""
    model, batches, features, pose = regression(6)
    batches.faces.pose[batches.order[0]] = np.nan
    fit_heads(model, batches, rounds=3, ridge=1e-9)
    found = ops.convert_to_numpy(model.network.get_layer("pose")(features))
    np.testing.assert_allclose(found, pose, atol=0.05)
    assert batches.epoch == 0, "the training begins with its first epoch"


@pytest.mark.parametrize("options, part", [({}, 0.999), ({"ridge": 1.0}, 0.5)])
def test_the_ridge_is_relative_to_how_much_features_vary(regression, options, part):
    """So it takes the same part of a slope from faces of any number and features of any scale."""
    model, batches, features, pose = regression(1)
    fit_heads(model, batches, rounds=2, **options)
    found = ops.convert_to_numpy(model.network.get_layer("pose")(features))
    mean = pose.mean(axis=0)
    np.testing.assert_allclose(found - mean, part * (pose - mean), atol=1e-3)


def test_the_ridge_does_not_depend_on_the_features_means(regression):
    model, batches, _, _ = regression(6)
    network, answers = model.network, []
    for means in (np.zeros(6), np.arange(6)):
        network.get_layer("norm").beta.assign(means)
        fit_heads(model, batches, rounds=1, ridge=1.0)
        answers.append(ops.convert_to_numpy(network(network_inputs(batches, 0))["pose"]))
    np.testing.assert_allclose(*answers, atol=1e-3)


def test_weights_that_cancel_out_are_made_small(regression):
    """Of rounded features they would not: the answers stay, the weights go."""
    model, batches, _, _ = regression(6)
    convolution, head = model.network.layers[1], model.network.get_layer("pose")
    kernel, bias = convolution.get_weights()
    kernel[..., 1] = kernel[..., 0]  # two features that are always the same
    convolution.set_weights([kernel, bias])
    head.kernel.assign_add(np.array([100, -100, 0, 0, 0, 0])[:, None] * np.ones((6, 3)))
    before = ops.convert_to_numpy(model.network(network_inputs(batches, 0))["pose"])
    shrink_heads(model.network, batches, rounds=2, ridges={"landmarks": 1e-6, "pose": 1e-6})
    after = ops.convert_to_numpy(model.network(network_inputs(batches, 0))["pose"])
    np.testing.assert_allclose(after, before, atol=2e-3)
    assert np.abs(head.kernel[0] - head.kernel[1]).max() < 0.01


def test_new_heads_see_each_face_in_many_ways(batches, monkeypatch):
    asked, whole = [], Batches.whole

    def watched(self, index):
        asked.append((self.epoch, index))
        return whole(self, index)

    monkeypatch.setattr(Batches, "whole", watched)
    fit_heads(make_model(), batches, rounds=5)
    assert asked == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]


@pytest.fixture
def faces(tmp_path, rng):
    """Three faces on pictures of noise; the second has no pose label."""
    made = []
    for i in range(3):
        image = tmp_path / f"{i}.png"
        Image.fromarray(rng.integers(0, 256, (90, 90, 3), dtype=np.uint8)).save(image)
        pose = None if i == 1 else np.array([10.0 * i, 5, -5])
        made.append(LabelledFace(image, rng.uniform(20, 70, (68, 2)), pose))
    return made


def test_validation_figures_are_those_of_the_held_out_crops(faces):
    network = make_network()
    images, points, _ = crop_faces(faces, SIZE, MARGIN)
    found, angles = predict(network, images)
    figures = Validation(network, faces, IBUG68, MARGIN).measure()
    assert figures["val_nme"] == pytest.approx(nme(found, points, IBUG68).mean(), rel=1e-4)
    away = np.abs(angles[[0, 2]] - [[0, 5, -5], [20, 5, -5]])
    assert figures["val_pose_mae"] == pytest.approx(away.mean(), rel=1e-4)


def test_validation_without_pose_labels_has_no_pose_figure(faces):
    validation = Validation(make_network(), faces[1:2], IBUG68, MARGIN)
    logs = {"loss": 1.0}
    validation.on_epoch_end(0, logs)
    assert logs == {"loss": 1.0} | validation.measure()
    assert set(logs) == {"loss", "val_nme"}


def test_predictions_do_not_depend_on_the_batch(rng):
    network = make_network()
    images = rng.integers(0, 256, (7, SIZE, SIZE, 3), dtype=np.uint8)
    whole, pose = predict(network, images)
    assert whole.shape == (7, 68, 2) and pose.shape == (7, 3)
    parts, angles = predict(network, images, batch=3)
    np.testing.assert_allclose(parts, whole, atol=1e-5)
    np.testing.assert_allclose(angles, pose, atol=1e-4)


@pytest.mark.parametrize("count, sizes", [(7, [3, 3, 3]), (2, [2])])
def test_predictions_compile_a_network_once(count, sizes):
    """For batches of one size; few pictures are a batch of their own."""
    seen = []

    def predict_on_batch(images):
        seen.append(len(images))
        return {"landmarks": np.zeros((len(images), 136)), "pose": np.zeros((len(images), 3))}

    images = np.zeros((count, SIZE, SIZE, 3), np.uint8)
    points, pose = predict(SimpleNamespace(predict_on_batch=predict_on_batch), images, batch=3)
    assert seen == sizes and len(points) == len(pose) == count


def test_progress_of_predictions_is_told_by_the_batch(rng):
    images, told = rng.integers(0, 256, (7, SIZE, SIZE, 3), dtype=np.uint8), []

    def progress(starts):
        told.extend(starts)
        return told

    predict(make_network(), images, batch=3, progress=progress)
    assert told == [0, 3, 6]


@pytest.mark.parametrize("devices, batch, used", [(6, 8, 2), (4, 64, 4), (1, 64, 1), (3, 64, 1)])
def test_a_batch_is_spread_evenly_over_devices_of_jax(monkeypatch, devices, batch, used):
    """Keras takes each process' rows for its own, and shares out none."""
    spread = []
    names = [f"gpu:{k}" for k in range(devices)]
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: names)
    monkeypatch.setattr(keras.distribution, "DataParallel", lambda **given: given)
    monkeypatch.setattr(keras.distribution, "set_distribution", spread.append)
    assert use_all_devices(batch) == used
    expected = {"devices": names[:used], "auto_shard_dataset": False}
    assert spread == ([expected] if used > 1 else [])


def test_other_backends_use_one_device(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0", "gpu:1"])
    assert use_all_devices(64) == 1
