"""The networks are the paper's: counted, not believed."""

import json
import zipfile

import keras
import numpy as np
import pytest

from asmnet.core import UserError
from asmnet.train import model
from asmnet.train.model import TAPS, build_model, count_flops, load_network


@pytest.mark.parametrize(
    "arch, parameters, gflops, paper",
    [("asmnet", 1_439_507, 0.513, (1.43, 0.51)), ("mobilenetv2", 2_436_043, 0.599, (2.42, 0.60))],
)
def test_size_and_arithmetic(arch, parameters, gflops, paper):
    model = build_model(arch, size=224)
    assert model.count_params() == parameters
    assert count_flops(model) / 1e9 == pytest.approx(gflops, abs=5e-4)
    assert parameters / 1e6 == pytest.approx(paper[0], rel=0.01)
    assert count_flops(model) / 1e9 == pytest.approx(paper[1], rel=0.01)


def test_the_spatial_fusion_is_small():
    model = build_model("asmnet_spatial", size=224)
    assert model.count_params() <= 1_600_000
    assert count_flops(model) < 1.01 * count_flops(build_model("asmnet", size=224))
    assert model.get_layer("positions").output.shape[-1] == 980
    assert build_model("asmnet_spatial", size=112).count_params() <= 1_600_000


def test_outputs_and_taps():
    model = build_model("asmnet", "wflw98", size=64)
    out = model(np.zeros((2, 64, 64, 3), np.float32))
    assert out["landmarks"].shape == (2, 196) and out["pose"].shape == (2, 3)
    assert model.get_layer("features").output.shape[-1] == 536
    assert {layer.name for layer in model.layers} >= set(TAPS)


def test_weights_move_between_sizes(tmp_path):
    """Pooling makes the network blind to its input size, so a trained 112 starts a 224."""
    small = build_model("asmnet", size=112)
    small.save(tmp_path / "small.keras")
    loaded = keras.saving.load_model(tmp_path / "small.keras", compile=False)
    large = build_model("asmnet", size=224)
    large.set_weights(loaded.get_weights())
    assert large.count_params() == small.count_params()


def test_a_saved_network_is_loaded(tmp_path):
    image = keras.Input((4,))
    network = keras.Model(image, keras.layers.Dense(2)(image))
    network.save(tmp_path / "a.keras")
    again = load_network(tmp_path / "a.keras")
    for known, loaded in zip(network.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(loaded, known)


def test_a_network_of_a_newer_keras_is_loaded_without_its_options(tmp_path, monkeypatch):
    """As Keras 3.12 must do with what 3.15 saved."""
    image = keras.Input((4,))
    outputs = keras.layers.Dense(2)(keras.layers.BatchNormalization()(image))
    network = keras.Model(image, outputs)
    network.save(tmp_path / "a.keras")
    parse = keras.saving.deserialize_keras_object

    def refused(*arguments, **options):
        raise TypeError("unexpected keyword argument 'input_axes'")

    def older(config):
        for option in ("input_axes", "output_axes", "renorm", "quantization_config"):
            assert option not in json.dumps(config)
        return parse(config)

    monkeypatch.setattr(keras.saving, "load_model", refused)
    monkeypatch.setattr(keras.saving, "deserialize_keras_object", older)
    again = load_network(tmp_path / "a.keras")
    for before, loaded in zip(network.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(loaded, before)


@pytest.mark.parametrize("how", ["truncated", "text", "foreign", "missing"])
def test_a_network_that_cannot_be_loaded_is_named(tmp_path, how):
    image, path = keras.Input((4,)), tmp_path / "a.keras"
    keras.Model(image, keras.layers.Dense(2)(image)).save(path)
    if how == "truncated":
        path.write_bytes(path.read_bytes()[:-200])
    elif how == "text":
        path.write_text("no network")
    elif how == "foreign":  # a class that is not at hand
        with zipfile.ZipFile(path) as source:
            files = {name: source.read(name) for name in source.namelist()}
        files["config.json"] = files["config.json"].replace(b'"Dense"', b'"TheirLayer"')
        with zipfile.ZipFile(path, "w") as target:
            for name, data in files.items():
                target.writestr(name, data)
    else:
        path.unlink()
    with pytest.raises(UserError, match=r"a\.keras cannot be loaded as a Keras model"):
        load_network(path)


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        ({"arch": "resnet"}, "resnet"),
        ({"scheme": "ibug5"}, "ibug5"),
        ({"size": 100}, "100"),
        ({"size": 0}, "0"),
        ({"weights": "absent.h5"}, "absent.h5"),
    ],
)
def test_bad_arguments_are_named(arguments, complaint):
    with pytest.raises(UserError, match=complaint):
        build_model(**arguments)


def test_a_failed_download_names_what_does_without(monkeypatch):
    def fetch(**_):
        raise OSError("URL fetch failure: no route to host")

    monkeypatch.setattr(model.keras.applications, "MobileNetV2", fetch)
    with pytest.raises(UserError) as error:
        model._pretrained("imagenet")
    assert "no route to host" in str(error.value)
    remedy = str(error.value).split("; ")[1]
    assert "imagenet" not in remedy and "MobileNetV2 .h5 file, or none" in remedy
