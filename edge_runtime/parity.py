"""Parity: how far the answers of a model file are from those of its float model.

Mean error alone hides the damage of quantization (a network can lose 0.3 NME points
and jitter 28 % more), so there are mean, 99th percentile, maximum and jitter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asmnet.cli.progress import Progress, no_progress
from asmnet.core import Crop, ModelSpec, extract, jitter
from asmnet.edge_runtime.crops import OPENCV
from asmnet.edge_runtime.landmarker import Landmarker

__all__ = ["LABELS", "LIMITS", "Metric", "jitter_metric", "measure_jitter", "run_file", "shifts"]

# Above these the gate fails.  Pixels are those of a 224 x 224 input.
LIMITS = {
    # Two orders above float32 rounding through 50 layers; a wrong layer is far beyond.
    "keras_landmarks": 1e-4,  # crop units
    "keras_pose": 1e-2,  # degrees
    # A tenth of what separates good published methods.
    "nme": 0.05,  # points of % NME
    # Annotators of 300-W disagree by some 2 px at this size: half of that on average,
    # and no single landmark off by more than a viewer would forgive.
    "shift_mean": 1.0,  # px
    "shift_p99": 2.5,
    "shift_max": 5.0,
    # The labels themselves are good to about 2 degrees.
    "pose_mean": 0.3,  # degrees
    "pose_max": 2.0,
    # The runtime's filter leaves about a third of it on a still face: 0.15 % of the distance
    # between the eyes, a quarter of a pixel when they are 160 pixels apart.  Absolute, since
    # int8 adds nearly the same noise to every model: a ratio punishes those with little jitter.
    "jitter": 0.45,  # % of inter-ocular, the exported file's own
}
LIMITS_SIZE = 224
# What a reader sees in place of a key.
LABELS = {
    "keras_landmarks": "Keras - TFLite float, landmarks, max, units",
    "keras_pose": "Keras - TFLite float, pose, max, °",
    "nme": "NME, % (labelled faces)",
    "shift_mean": "landmark shift, mean, px",
    "shift_p99": "landmark shift, 99th percentile, px",
    "shift_max": "landmark shift, max, px",
    "pose_mean": "pose shift, mean, °",
    "pose_max": "pose shift, max, °",
    "jitter": "jitter on noisy stills, % of inter-ocular",
    "jitter_ratio": "jitter, exported : float",
    "megabytes": "size, MB",
    "milliseconds": "time, ms (1 thread)",
}

# Jitter: so many stills, drawn so many times, with camera noise of so many grey
# levels and crops that are off by up to half a pixel each way.
STILLS, DRAWS, NOISE = 20, 16, 2.0


@dataclass(frozen=True)
class Metric:
    """One line of the parity report; it passes if `value` is at most `limit`.

    `before` and `after` are the float model's and the exported file's own figures,
    where there are such.  Without a limit a figure is only reported.
    """

    key: str
    label: str
    value: float
    limit: float | None = None
    before: float | None = None
    after: float | None = None

    @property
    def passed(self) -> bool:
        """Whether the gate lets it through; NaN never passes."""
        return self.limit is None or bool(self.value <= self.limit)


def run_file(
    landmarker: Landmarker, images: np.ndarray, progress: Progress = no_progress
) -> tuple[np.ndarray, np.ndarray]:
    """Run a `.tflite` on crops (M, size, size, 3) uint8 RGB.

    Returns:
        landmarks (M, N, 2) crop units and pose (M, 3) degrees, float32.
    """
    answers = [landmarker.raw(image) for image in progress(images, "running TFLite")]
    return np.stack([a[0] for a in answers]), np.stack([a[1] for a in answers])


def shifts(
    before: tuple[np.ndarray, np.ndarray], after: tuple[np.ndarray, np.ndarray], spec: ModelSpec
) -> list[Metric]:
    """How far answers have moved.

    Args:
        before, after: (M, N, 2) landmarks in crop units and (M, 3) pose in degrees.
        spec: tells the input's size, which the limits on pixels go with.
    """
    scale = spec.input_size / LIMITS_SIZE
    shift = np.linalg.norm(after[0] - before[0], axis=-1) * spec.input_size
    turn = np.abs(after[1] - before[1])
    return [
        Metric(key, LABELS[key], float(value), LIMITS[key] * unit)
        for key, value, unit in (
            ("shift_mean", shift.mean(), scale),
            ("shift_p99", np.percentile(shift, 99), scale),
            ("shift_max", shift.max(), scale),
            ("pose_mean", turn.mean(), 1.0),
            ("pose_max", turn.max(), 1.0),
        )
    ]


def measure_jitter(
    landmarkers: Sequence[Landmarker], images: np.ndarray, progress: Progress = no_progress
) -> list[float]:
    """Jitter of the answers on stills moved a little, as a camera and a tracker move them.

    Args:
        landmarkers: all are shown the same pixels.
        images: (M, size, size, 3) uint8 RGB crops, of which `STILLS` are taken.

    Returns:
        for each landmarker, % of the inter-ocular distance.
    """
    rng = np.random.default_rng(0)
    spec: ModelSpec = landmarkers[0].spec
    stills = np.linspace(0, len(images) - 1, min(STILLS, len(images))).astype(int)
    measured: list[list[float]] = [[] for _ in landmarkers]
    for index in progress(stills, "measuring jitter"):
        tracks: list[list[np.ndarray]] = [[] for _ in landmarkers]
        for _ in range(DRAWS):
            x, y = (spec.input_size - 1) / 2 + rng.uniform(-0.5, 0.5, 2)
            crop = Crop(float(x), float(y), float(spec.input_size))
            noise = rng.normal(0.0, NOISE, images[index].shape)
            noisy = np.clip(images[index] + noise + 0.5, 0, 255).astype(np.uint8)
            view = extract(noisy, crop, spec.input_size, OPENCV)
            for landmarker, points in zip(landmarkers, tracks, strict=True):
                points.append(crop.to_picture(landmarker.raw(view)[0]))
        for values, points in zip(measured, tracks, strict=True):
            values.append(jitter(np.stack(points), spec.landmark_scheme))
    return [float(np.mean(values)) for values in measured]


def jitter_metric(own: float, before: float | None = None) -> Metric:
    """The report's line on `measure_jitter`: the file's own, and the float model's if known."""
    return Metric("jitter", LABELS["jitter"], own, LIMITS["jitter"], before, own)
