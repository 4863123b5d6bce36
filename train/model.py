"""ASMNet, its spatial sister and its MobileNetV2 peer.

ASMNet (Fard, Abdollahi and Mahoor, CVPR-W 2021) is MobileNetV2 (Sandler et al.,
2018) cut at `block_15_add`.  Six taps, each global-average-pooled and
concatenated, feed two linear heads: landmarks in crop units and the head's yaw,
pitch and roll in degrees.  The peer, `mobilenetv2`, keeps the whole MobileNetV2
under the same two heads.

Pooling over the whole face throws away where things are, just before they are
asked for.  `asmnet_spatial` puts a small map that keeps them beside the poolings:
three taps of unlike resolution are projected onto the deepest one's grid by
convolutions whose stride equals their kernel, so that no position is averaged away,
and added.  The map stays linear, as the bottlenecks are that it is made of: after an
activation like theirs it died, all of it, in training.  The network contains ASMNet, and
starts from a trained one where it stands.

Input: (B, size, size, 3) float32 RGB in [-1, 1].
Outputs: {"landmarks": (B, 2 N) crop units x0, y0, x1, ..., "pose": (B, 3) degrees}.
"""

from __future__ import annotations

import json
import os
import zipfile
from typing import Any

import keras
from keras import layers

from asmnet.core import SCHEMES, UserError

__all__ = ["ARCHITECTURES", "TAPS", "build_model", "count_flops", "load_network"]

TAPS = (
    "block_1_project_BN",
    "block_3_project_BN",
    "block_6_project_BN",
    "block_10_project_BN",
    "block_13_project_BN",
    "block_15_add",
)
# Of initializers, batch norms and dense layers.
NEWER_OPTIONS = {"input_axes", "output_axes", "renorm", "renorm_clipping", "quantization_config"}
ARCHITECTURES = ("asmnet", "asmnet_spatial", "mobilenetv2")

# Taps of the spatial fusion's map, each with its cells per cell of the deepest grid.
MAP_TAPS = (("block_5_add", 4), ("block_12_add", 2), ("block_15_add", 1))
QUIET = keras.initializers.Constant(0.1)


def build_model(
    arch: str = "asmnet",
    scheme: str = "ibug68",
    size: int = 224,
    weights: str | os.PathLike[str] | None = None,
    dropout: float = 0.0,
    batch_norm_momentum: float = 0.9,
) -> keras.Model:
    """Build a network.

    Args:
        arch: "asmnet", "asmnet_spatial" or "mobilenetv2".
        scheme: landmark scheme, "ibug68" or "wflw98".
        size: input side in pixels, a multiple of 16.
        weights: trunk initialisation: None (random), "imagenet" (downloaded by
            Keras) or the path of Keras' ImageNet `.h5` file.
        dropout: rate before the heads, in training only.
        batch_norm_momentum: Keras' own 0.999 needs thousands of steps to settle.

    Raises:
        UserError: unknown architecture or scheme, or unusable size or weights.
    """
    if arch not in ARCHITECTURES:
        raise UserError(f"unknown architecture {arch!r}; choose one of {', '.join(ARCHITECTURES)}")
    if scheme not in SCHEMES:
        raise UserError(f"unknown scheme {scheme!r}; choose one of {', '.join(SCHEMES)}")
    if size < 32 or size % 16:
        raise UserError(f"input size {size} is no multiple of 16 from 32 up; try 224 or 112")
    trunk = _trunk(arch, size, weights, batch_norm_momentum)
    if arch == "mobilenetv2":
        features = layers.GlobalAveragePooling2D(name="features")(trunk.output)
    else:
        parts = [
            layers.GlobalAveragePooling2D(name=f"pool_{tap}")(trunk.get_layer(tap).output)
            for tap in TAPS
        ]
        if arch == "asmnet_spatial":
            parts.append(_keep_positions(trunk, batch_norm_momentum))
        features = layers.Concatenate(name="features")(parts)
    if dropout:
        features = layers.Dropout(dropout, name="dropout")(features)
    count = SCHEMES[scheme].count
    landmarks = layers.Dense(2 * count, name="landmarks")(features)
    pose = layers.Dense(3, name="pose")(features)
    return keras.Model(
        trunk.input,
        {"landmarks": landmarks, "pose": pose},
        name=f"{arch}_{count}_{size}",
    )


def _keep_positions(trunk: keras.Model, momentum: float) -> keras.KerasTensor:
    """Add projections of the taps on the deepest grid: about 1,000 features."""
    _, height, width, _ = trunk.output.shape
    channels = min(48, 1000 // (height * width))
    projected = []
    for tap, step in MAP_TAPS:
        x = layers.Conv2D(
            channels, step, strides=step, padding="same", use_bias=False, name=f"project_{tap}"
        )(trunk.get_layer(tap).output)
        # The taps' ranges differ by an order of magnitude; the converter folds this away.  Their
        # sum is to be as loud as the pools' means, or its many cells drown them in the heads.
        norm = layers.BatchNormalization(
            momentum=momentum, gamma_initializer=QUIET, name=f"project_{tap}_BN"
        )
        projected.append(norm(x))
    return layers.Flatten(name="positions")(layers.Add(name="fuse")(projected))


def _trunk(
    arch: str, size: int, weights: str | os.PathLike[str] | None, momentum: float
) -> keras.Model:
    image = keras.Input((size, size, 3), name="image")
    network = keras.applications.MobileNetV2(input_tensor=image, include_top=False, weights=None)
    if weights is not None:
        for layer, source in zip(network.layers, _pretrained(weights).layers, strict=False):
            layer.set_weights(source.get_weights())
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = momentum
    last = "out_relu" if arch == "mobilenetv2" else "block_15_add"
    return keras.Model(image, network.get_layer(last).output)


def _pretrained(weights: str | os.PathLike[str]) -> keras.Model:
    """MobileNetV2 at 224; a convolutional trunk has the same weights at every size."""
    try:
        return keras.applications.MobileNetV2(
            input_shape=(224, 224, 3), include_top=weights != "imagenet", weights=str(weights)
        )
    except Exception as error:  # Keras raises whatever h5py or urllib raised
        if weights == "imagenet":
            raise UserError(
                f"cannot download ImageNet weights ({error}); "
                "give the path of Keras' MobileNetV2 .h5 file, or none"
            ) from error
        raise UserError(
            f"cannot initialise the trunk from {str(weights)!r} ({error}); "
            "use 'imagenet', the path of Keras' MobileNetV2 .h5 file, or none"
        ) from error


def load_network(path: str | os.PathLike[str]) -> keras.Model:
    """Load a network that was saved as `.keras`.

    Raises:
        UserError: missing, damaged, or of classes that Keras does not know.
    """
    try:
        try:
            return keras.saving.load_model(path, compile=False)
        except TypeError:
            return _load_newer(path)
    except Exception as error:  # Keras raises whatever zipfile, json or h5py raised
        reason = " ".join(str(error).split())[:120]
        raise UserError(
            f"{path} cannot be loaded as a Keras model ({type(error).__name__}: {reason}); "
            "it is corrupt or of another version of Keras: save it again"
        ) from error


def _load_newer(path: str | os.PathLike[str]) -> keras.Model:
    """Load a network that Keras 3.15 saved in Keras 3.12, the last for Python 3.10.

    The newer one writes options that the older does not know; those that are off are left out.
    """
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"), object_hook=_without_newer_options)
    network = keras.saving.deserialize_keras_object(config)
    network.load_weights(path)
    return network


def _without_newer_options(config: dict[str, Any]) -> dict[str, Any]:
    off = {key for key in NEWER_OPTIONS & config.keys() if not config[key]}
    if "renorm" in off:
        off.add("renorm_momentum")
    return {key: value for key, value in config.items() if key not in off}


def count_flops(model: keras.Model) -> int:
    """Floating-point operations of one image: two per multiply-add of convolutions and Dense.

    Pooling, activations and folded batch norms are left out, as the paper's
    0.51 GFLOP for ASMNet does.
    """
    total = 0
    for layer in model.layers:
        if isinstance(layer, layers.DepthwiseConv2D):
            _, height, width, channels = layer.output.shape
            total += 2 * height * width * channels * layer.kernel_size[0] * layer.kernel_size[1]
        elif isinstance(layer, layers.Conv2D):
            _, height, width, channels = layer.output.shape
            inputs = layer.input.shape[-1] // layer.groups
            kernel = layer.kernel_size[0] * layer.kernel_size[1]
            total += 2 * height * width * channels * inputs * kernel
        elif isinstance(layer, layers.Dense):
            total += 2 * layer.input.shape[-1] * layer.units
    return total
