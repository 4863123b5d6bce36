"""Where a training starts."""

import keras
import numpy as np
import pytest
from keras import layers

from asmnet.core import Crop, UserError
from asmnet.train import warm_start
from asmnet.train.recipes import RECIPES
from asmnet.train.warm_start import initialise, start_at_mean

FEATURES = 536  # of ASMNet's six poolings
SPATIAL = FEATURES + 48  # and of the map, a single cell of pictures of 32 pixels


def saved(folder, name="asmnet_68_64", features=FEATURES, points=68, layer="landmarks"):
    """A trained network of which only the heads are ASMNet's, and their weights."""
    x = keras.Input((features,))
    heads = {layer: 2 * points, "pose": 3} if layer == "landmarks" else {layer: 5}
    outputs = {
        n: layers.Dense(count, name=n, bias_initializer="ones")(x) for n, count in heads.items()
    }
    network = keras.Model(x, outputs, name=name)
    network.save(folder / "given.keras")
    return str(folder / "given.keras"), {n: network.get_layer(n).get_weights() for n in heads}


def start(arch, init, scheme="ibug68"):
    return initialise(arch, scheme, 32, init, RECIPES["paper"])


@pytest.mark.parametrize("arch, features", [("asmnet", FEATURES), ("asmnet_spatial", SPATIAL)])
def test_layers_of_the_same_name_and_shapes_are_copied(tmp_path, arch, features):
    init, given = saved(tmp_path, f"{arch}_68_64", features)
    network, copied = start(arch, init)
    assert copied == {"landmarks", "pose"}
    for name in copied:
        for weight, known in zip(network.get_layer(name).get_weights(), given[name], strict=True):
            np.testing.assert_array_equal(weight, known)


def test_a_head_for_other_points_stays_new(tmp_path):
    network, copied = start("asmnet", saved(tmp_path, points=98)[0])
    assert copied == {"pose"} and network.output["landmarks"].shape == (None, 136)


def test_a_trained_network_goes_on_under_the_recipes_dropout(tmp_path):
    network, _ = start("asmnet", saved(tmp_path)[0])
    assert network.get_layer("dropout").rate == RECIPES["paper"].dropout > 0


def test_the_spatial_fusions_heads_ignore_its_map_at_first(tmp_path):
    init, given = saved(tmp_path)
    network, copied = start("asmnet_spatial", init)
    assert copied == {"landmarks", "pose"}
    for name in copied:
        kernel, bias = network.get_layer(name).get_weights()
        assert len(kernel) > FEATURES
        np.testing.assert_array_equal(kernel[:FEATURES], given[name][0])
        assert not kernel[FEATURES:].any()
        np.testing.assert_array_equal(bias, given[name][1])


@pytest.mark.parametrize(
    "arch, given",
    [
        ("asmnet_spatial", {"name": "mobilenetv2_68_64"}),  # other features
        ("asmnet", {"features": FEATURES - 8}),
        ("asmnet_spatial", {"layer": "another"}),
    ],
)
def test_a_network_of_another_kind_is_refused(tmp_path, arch, given):
    init, _ = saved(tmp_path, **given)
    with pytest.raises(UserError, match=f"cannot start from .*it has no layer of {arch}_68_32"):
        start(arch, init)


def test_a_file_that_is_no_network_is_named(tmp_path):
    with pytest.raises(UserError, match=r"cannot start from .*gone\.keras.*; give a trained"):
        start("asmnet", str(tmp_path / "gone.keras"))


@pytest.mark.parametrize("init, weights", [("none", None), ("imagenet", "imagenet")])
def test_without_a_network_the_trunk_starts_as_told(monkeypatch, init, weights):
    told = []
    monkeypatch.setattr(warm_start, "build_model", lambda *arguments: told.append(arguments))
    assert start("asmnet", init, "wflw98") == (None, set())
    assert told == [("asmnet", "wflw98", 32, weights, RECIPES["paper"].dropout)]


def test_an_untrained_head_answers_the_mean_face(rng):
    """In crop units: of crops around each face's own box."""
    x = keras.Input((8,))
    network = keras.Model(x, layers.Dense(10, name="landmarks")(x))
    points = rng.normal(0.3, 1, (6, 5, 2)) * (1, 3) * rng.uniform(0.2, 2, (6, 1, 1))
    start_at_mean(network, points, 1.25)
    expected = np.mean([Crop.around(face, 1.25).to_units(face) for face in points], axis=0)
    for features in rng.normal(0, 9, (2, 1, 8)).astype(np.float32):
        answer = network.predict_on_batch(features)[0].reshape(5, 2)
        np.testing.assert_allclose(answer, expected, atol=1e-5)
