"""Quantization-aware fine-tuning: the weights learn to live with being rounded.

The network is its own teacher.  What it answers as floats, on a clean crop, is what it
shall answer with rounded weights and activations, on the same crop with a camera's noise
and half a pixel off: so no labels are needed, and the calibration crops will do.  Rounding
is simulated by tensorflow-model-optimization as TFLite's int8 does it: symmetric kernels
with a scale for each output channel, and one range for each tensor, the extremes seen.

Importing this needs the extra `qat`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from asmnet.cli.progress import Progress, no_progress
from asmnet.data.images import to_inputs
from asmnet.export.qat.keras2 import load_keras2, to_keras2, write_back
from asmnet.export.weights.bias_correction import rounded

if TYPE_CHECKING:
    import keras

__all__ = ["finetune"]

keras2 = load_keras2()  # before the next import: it says what to install

import tensorflow_model_optimization as tfmot  # noqa: E402

# So many batches of crops; Adam's rate falls to zero along a cosine.
STEPS, BATCH, RATE = 400, 16, 1e-5
# What a teacher and its student are shown: standard deviations of degrees, log-scale, crop
# sides, log-gain, grey levels; and the student alone: pixels each way, grey levels.
ROLL, SIZE, SHIFT, LIGHT, SHADE = 12.0, 0.06, 0.03, 0.2, 12.0
OFF, NOISE = 0.5, 2.0


class Kernel(tfmot.quantization.keras.quantizers.Quantizer):
    """Rounds a kernel as it is now, each output channel by its own scale."""

    def __init__(self, depthwise: bool) -> None:
        self.depthwise = depthwise

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        """No variables."""
        return {}

    def __call__(self, inputs: Any, training: bool, weights: Any, **_: Any) -> Any:
        """The rounded kernel, whose gradient is the kernel's."""
        import tensorflow as tf

        # A depthwise kernel is (H, W, C, 1); the channels have to come last.
        kernel = tf.transpose(inputs, (0, 1, 3, 2)) if self.depthwise else inputs
        axes = list(range(len(kernel.shape) - 1))
        largest = tf.reduce_max(tf.abs(tf.stop_gradient(kernel)), axis=axes)
        rounded = tf.quantization.fake_quant_with_min_max_vars_per_channel(
            kernel, -largest, largest, num_bits=8, narrow_range=True
        )
        return tf.transpose(rounded, (0, 1, 3, 2)) if self.depthwise else rounded

    def get_config(self) -> dict[str, Any]:
        """For Keras."""
        return {"depthwise": self.depthwise}


class Rounding(tfmot.quantization.keras.QuantizeConfig):
    """What of a layer is rounded: the kernel that it has under this name, and its output."""

    def __init__(self, kernel: str | None, output: bool) -> None:
        self.kernel, self.output = kernel, output

    def get_weights_and_quantizers(self, layer: Any) -> list[tuple[Any, Kernel]]:
        """The kernel."""
        if self.kernel is None:
            return []
        return [(getattr(layer, self.kernel), Kernel(self.kernel == "depthwise_kernel"))]

    def set_quantize_weights(self, layer: Any, quantize_weights: list[Any]) -> None:
        """Put the rounded kernel in the place of the exact one."""
        if self.kernel is not None:
            setattr(layer, self.kernel, quantize_weights[0])

    def get_activations_and_quantizers(self, layer: Any) -> list[Any]:
        """None: activations are layers of their own."""
        return []

    def set_quantize_activations(self, layer: Any, quantize_activations: list[Any]) -> None:
        """None."""
        del quantize_activations

    def get_output_quantizers(self, layer: Any) -> list[Any]:
        """The range of all values seen, as calibration takes it."""
        if not self.output:
            return []
        return [tfmot.quantization.keras.quantizers.AllValuesQuantizer(8, False, False, False)]

    def get_config(self) -> dict[str, Any]:
        """For Keras."""
        return {"kernel": self.kernel, "output": self.output}


class PlainScheme(tfmot.quantization.keras.default_8bit.Default8BitQuantizeScheme):
    """Every layer as it was annotated.

    The default rewrites pairs of layers, and where an activation follows a convolution without
    a batch norm it forgets to round the kernel.
    """

    def get_layout_transformer(self) -> PlainScheme:
        """Itself: it rewrites nothing."""
        return self

    def apply(self, model: Any, layer_quantize_map: Any) -> tuple[Any, Any]:
        """What it was given."""
        return model, layer_quantize_map


def finetune(
    teacher: keras.Model,
    network: keras.Model,
    crops: np.ndarray,
    fusion: tuple[str, ...],
    progress: Progress = no_progress,
) -> keras.Model:
    """A copy of a network whose weights bear rounding.

    Args:
        teacher: its answers, as floats, are the targets.
        network: the same, prepared for rounding.
        crops: (M, size, size, 3) uint8 RGB.
        fusion: how names of layers start whose outputs stay float.
        progress: shows it.
    """
    import keras as keras3
    import tensorflow as tf

    size = network.input_shape[1]
    exact, tuned = to_keras2(teacher), to_keras2(network)
    student = _rounded(tuned, fusion)
    optimizer = keras2.optimizers.Adam(keras2.optimizers.schedules.CosineDecay(RATE, STEPS))

    optimizer.build(student.trainable_weights)  # or the first step, which would, is traced twice

    @tf.function
    def learn(clean: Any, noisy: Any, moved: Any) -> None:
        points, pose = exact(clean, training=False)
        points -= tf.tile(moved, (1, points.shape[1] // 2))
        with tf.GradientTape() as tape:
            its_points, its_pose = student(noisy, training=False)  # ranges stay
            # A pixel counts as much as a degree.
            loss = tf.reduce_mean(tf.square((its_points - points) * size))
            loss += tf.reduce_mean(tf.square(its_pose - pose))
        variables = student.trainable_weights
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))

    for start in range(0, len(crops), BATCH):
        student(to_inputs(crops[start : start + BATCH]), training=True)  # ranges are learned
    batches = itertools.islice(_batches(crops, np.random.default_rng(0)), STEPS)
    for _, batch in zip(progress(range(STEPS), "fine-tuning"), batches, strict=True):
        learn(*batch)
    for name, variables in _variables(student).items():
        tuned.get_layer(name).set_weights([variable.numpy() for variable in variables])
    copy = keras3.models.clone_model(network)
    copy.set_weights(network.get_weights())
    write_back(tuned, copy)
    return copy


def _rounded(network: Any, fusion: tuple[str, ...]) -> Any:
    """A copy that simulates int8; both get the head's kernels as they are stored."""
    before_activation = {
        layer.input.node.layer.name
        for layer in network.layers
        if isinstance(layer, keras2.layers.ReLU)
    }

    def annotate(layer: Any) -> Any:
        kernel = next((k for k in ("depthwise_kernel", "kernel") if hasattr(layer, k)), None)
        # What stays float must not be annotated at all: its inputs would be rounded too.
        if layer.name.startswith(fusion):
            layer.trainable = False
            return layer
        output = isinstance(layer, (keras2.layers.ReLU, keras2.layers.Add)) or (
            kernel is not None and layer.name not in before_activation
        )
        if kernel is None and not output:
            return layer
        return tfmot.quantization.keras.quantize_annotate_layer(layer, Rounding(kernel, output))

    for layer in network.layers:
        if layer.name.startswith(fusion) and layer.get_weights():
            kernel, bias = layer.get_weights()
            layer.set_weights([rounded(kernel, tuple(range(kernel.ndim - 1))), bias])
    with tfmot.quantization.keras.quantize_scope({"Rounding": Rounding, "Kernel": Kernel}):
        annotated = keras2.models.clone_model(network, clone_function=annotate)
        student = tfmot.quantization.keras.quantize_apply(annotated, PlainScheme())
    for name, variables in _variables(student).items():
        for variable, value in zip(variables, network.get_layer(name).get_weights(), strict=True):
            variable.assign(value)
    return student


def _variables(student: Any) -> dict[str, list[Any]]:
    """Kernel and bias of each layer that has them, by the layer's name."""
    found = {}
    for layer in student.layers:
        variables = [v for v in layer.weights if v.name.endswith(("kernel:0", "bias:0"))]
        variables.sort(key=lambda variable: "bias" in variable.name)
        if variables:
            found[layer.name.removeprefix("quant_")] = variables
    return found


def _batches(
    crops: np.ndarray, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Clean inputs, noisy ones, and how far these are moved, (B, 2) in crop units; endless."""
    with ThreadPoolExecutor(1) as worker:  # prepares the next batch while this one is learned
        ready = worker.submit(_batch, crops, rng)
        while True:
            batch, ready = ready.result(), worker.submit(_batch, crops, rng)
            yield batch


def _batch(
    crops: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    size = crops.shape[1]
    middle = (size - 1) / 2
    clean: list[np.ndarray] = []
    noisy: list[np.ndarray] = []
    moved = rng.uniform(-OFF, OFF, (BATCH, 2))
    for crop, off in zip(crops[rng.integers(0, len(crops), BATCH)], moved, strict=True):
        face = crop[:, ::-1] if rng.random() < 0.5 else crop
        angle, scale = rng.normal(0, ROLL), np.exp(rng.normal(0, SIZE))
        turn: Any = cv2.getRotationMatrix2D((middle, middle), angle, scale)
        turn[:, 2] += rng.normal(0, SHIFT * size, 2)
        gain, shade = np.exp(rng.normal(0, LIGHT)), rng.normal(0, SHADE)
        for views, offset, noise in (clean, 0.0, 0.0), (noisy, off, NOISE):
            turn[:, 2] -= offset
            view: Any = cv2.warpAffine(face, turn, (size, size), borderMode=cv2.BORDER_REPLICATE)
            view = view * gain + shade + rng.normal(0, noise, view.shape)
            views.append(np.clip(np.rint(view), 0, 255))
    return (
        to_inputs(np.stack(clean)),
        to_inputs(np.stack(noisy)),
        (moved / size).astype(np.float32),
    )
