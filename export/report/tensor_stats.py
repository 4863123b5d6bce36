"""Inside a network: what each of its tensors holds, crop by crop.

Two questions are answered here.  Have the calibration crops shown every range there
is (`observe`)?  And where does an integer file lose what the float one knows
(`layer_noise`)?
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asmnet.cli.progress import Progress, no_progress, suppress_output
from asmnet.core import ModelSpec
from asmnet.edge_runtime import Landmarker
from asmnet.edge_runtime.interpreter import Network
from asmnet.export.convert import output_names
from asmnet.export.report.tflite_graph import Operation, operations

__all__ = ["WIDENED", "Noise", "Ranges", "layer_noise", "observe"]

# A range that new crops widen by less than this has settled.
WIDENED = 0.05
# What computes nothing new: the same numbers in another shape or type.
COPIES = ("DEQUANTIZE", "QUANTIZE", "RESHAPE")


@dataclass(frozen=True, eq=False)
class Ranges:
    """Extremes of T tensors on M crops, in the order of the graph.

    Attributes:
        layers: (T,) names.
        low, high: (M, T) float32.
    """

    layers: tuple[str, ...]
    low: np.ndarray
    high: np.ndarray

    def width(self, crops: np.ndarray | slice = slice(None)) -> np.ndarray:
        """(T,) width of the range that some of the crops span; zero is always inside."""
        low, high = self.low[crops].min(axis=0), self.high[crops].max(axis=0)
        width: np.ndarray = np.maximum(high, 0) - np.minimum(low, 0) + 1e-12
        return width

    def growth(self) -> np.ndarray:
        """(T,) by what fraction the last tenth of the crops widened each range."""
        return self.width() / self.width(slice(-(len(self.low) // 10))) - 1

    def unsettled(self) -> float:
        """Share of the ranges that the last tenth of the crops widened by more than `WIDENED`.

        Shipped faces leave 1 % of them so, 200 of 300-W's none.
        """
        return float((self.growth() > WIDENED).mean())

    def spread(self, subsets: int = 5, seed: int = 0) -> np.ndarray:
        """(T,) standard deviation, relative to the whole, of ranges from random halves."""
        rng = np.random.default_rng(seed)
        halves = [rng.permutation(len(self.low))[: len(self.low) // 2] for _ in range(subsets)]
        spread: np.ndarray = np.std([self.width(half) for half in halves], axis=0) / self.width()
        return spread


@dataclass(frozen=True)
class Noise:
    """How far an integer layer's output is from the float one's.

    Attributes:
        layer, kind: which.
        total: signal-to-noise ratio in dB, with all that earlier layers lost.
        own: what its output's rounding alone would leave, in dB.
    """

    layer: str
    kind: str
    total: float
    own: float


def observe(
    content: bytes, spec: ModelSpec, images: np.ndarray, progress: Progress = no_progress
) -> Ranges:
    """The range of every layer's output on each crop.

    Args:
        content: a float32 `.tflite`.
        spec: tells size and normalisation.
        images: (M, size, size, 3) uint8 RGB.
    """
    network, landmarker = _open(content, spec)
    taps = _taps(content)
    index = _indices(network)
    low, high = [], []
    for image in progress(images, "observing ranges"):
        landmarker.raw(image)
        values = [network.interpreter.get_tensor(index[tap.output]) for tap in taps]
        low.append([value.min() for value in values])
        high.append([value.max() for value in values])
    layers = tuple(tap.layer for tap in taps)
    return Ranges(layers, np.array(low, np.float32), np.array(high, np.float32))


def layer_noise(
    float_content: bytes,
    content: bytes,
    spec: ModelSpec,
    images: np.ndarray,
    progress: Progress = no_progress,
) -> list[Noise]:
    """Signal-to-quantization-noise ratio of every integer layer, in the order of the graph.

    The signal's power is that of its deviation from each channel's mean.

    Args:
        float_content: the network that was quantized, as a float32 `.tflite`.
        content: what became of it; layers keep their names.
        spec: tells size and normalisation.
        images: (M, size, size, 3) uint8 RGB.
    """
    known = {operation.output for operation in operations(float_content)}
    taps = [
        (t, t.scale, t.zero_point)
        for t in _taps(content)
        if t.scale is not None and t.zero_point is not None and t.output in known
    ]
    (exact, first), (rounded, second) = _open(float_content, spec), _open(content, spec)
    exact_index, rounded_index = _indices(exact), _indices(rounded)
    # Sums over crops and positions, one a channel: x, x squared; and the noise's squares.
    sums = [[0.0, 0.0, 0.0] for _ in taps]
    count = 0
    for image in progress(images, "measuring noise"):
        first.raw(image)
        second.raw(image)
        count += 1
        for (tap, scale, zero_point), total in zip(taps, sums, strict=True):
            x = exact.interpreter.get_tensor(exact_index[tap.output]).astype(np.float64)
            y = rounded.interpreter.get_tensor(rounded_index[tap.output]).astype(np.float64)
            axes = tuple(range(x.ndim - 1))
            total[0] += x.mean(axis=axes)
            total[1] += np.square(x).mean(axis=axes)
            total[2] += np.square((y - zero_point) * scale - x).mean()
    found = []
    for (tap, scale, _), (mean, square, noise) in zip(taps, sums, strict=True):
        signal = float(np.mean(square / count - np.square(mean / count)))
        found.append(
            Noise(
                tap.layer,
                tap.kind,
                total=_decibels(signal, noise / count),
                own=_decibels(signal, scale**2 / 12),
            )
        )
    return found


def _decibels(signal: float, noise: float) -> float:
    return float(10 * np.log10(max(signal, 1e-30) / max(noise, 1e-30)))


def _open(content: bytes, spec: ModelSpec) -> tuple[Network, Landmarker]:
    """A network whose inner tensors can be read after a run: without XNNPACK, which has none."""
    landmarks, pose = output_names(content)
    with suppress_output():
        network = Network(content, xnnpack=False, keep_tensors=True)
    return network, Landmarker(network, spec.replace(landmarks_tensor=landmarks, pose_tensor=pose))


def _indices(network: Network) -> dict[str, int]:
    return {t["name"]: t["index"] for t in network.interpreter.get_tensor_details()}


def _taps(content: bytes) -> list[Operation]:
    return [o for o in operations(content) if o.kind not in COPIES]
