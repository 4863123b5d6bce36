"""How much rolled heads, boxes that are off, and bad pictures add to a model's error.

Each condition spoils every labelled face in the same seeded way, whatever the model.
Rolls and boxes cut another square out of the original picture, so that labels move
exactly and pixels are resampled once; the others spoil the pixels of the clean crop.
All crops are cut with the device's own kernels (OpenCV), as those of `asmnet-eval` are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from asmnet.cli.progress import Progress, no_progress
from asmnet.core import IBUG68, Crop, extract, failure_rate, nme, rotate_pose, to_scheme
from asmnet.data.datasets import Dataset, LabelledFace
from asmnet.data.images import read_picture
from asmnet.edge_runtime.crops import OPENCV
from asmnet.evaluate.predictor import Predictor

__all__ = ["robustness", "spoilt_views"]

ROLL = 30.0  # degrees
LEVELLING = 5.0  # degrees, s.d.: how well eyes that a tracker found tell the roll
SHIFT = 0.1  # of the crop's side
SCALES = (0.8, 1.25)  # of the crop's side
BLUR = 3.0  # pixels of 224, s.d.: out of focus, or moved
# A quarter of the light, and the noise of a small sensor in grey levels of 255.
LIGHT, NOISE = 0.25, 5.0
JPEG = 20  # quality
PATCH = 0.35  # of the crop's side: a hand
BLOCK = 16  # faces whose views are in memory at once


def robustness(
    network: Predictor, data: Dataset, seed: int = 0, progress: Progress = no_progress
) -> list[dict[str, Any]]:
    """Measure a network on spoilt views of labelled faces, in boxes around the labels.

    Args:
        network: what to measure.
        data: labelled faces.
        seed: of what is random in the views.
        progress: shows it.

    Returns:
        for each condition "condition", "nme" in %, "fr10" in % of its views, and
        "pose_change": the mean absolute difference of yaw, pitch and roll, brought to the
        picture's frame, from those of the clean view, in degrees.

    Raises:
        UserError: a picture cannot be read.
    """
    scheme = data.scheme if network.spec.landmark_scheme is data.scheme else IBUG68
    errors: dict[str, list[float]] = {}
    turns: dict[str, list[float]] = {}
    starts = range(0, len(data.faces), BLOCK)
    for start in progress(starts, "spoiling faces"):
        faces = data.faces[start : start + BLOCK]
        views = [
            list(spoilt_views(face, data, network, np.random.default_rng((seed, start + i))))
            for i, face in enumerate(faces)
        ]
        points, poses = network.predict(np.stack([v[2] for each in views for v in each]))
        answers = zip(to_scheme(points, scheme), poses, strict=True)
        for face, each in zip(faces, views, strict=True):
            clean = None
            for condition, crop, _ in each:
                found, angles = next(answers)
                truth = to_scheme(crop.to_units(face.points), scheme)
                pose = rotate_pose(angles, crop.angle)
                clean = pose if clean is None else clean
                errors.setdefault(condition, []).append(float(nme(found, truth, scheme)))
                turns.setdefault(condition, []).append(float(np.abs(pose - clean).mean()))
    return [
        {
            "condition": condition,
            "nme": float(np.mean(values)),
            "fr10": failure_rate(np.array(values)),
            "pose_change": float(np.mean(turns[condition])),
        }
        for condition, values in errors.items()
    ]


def spoilt_views(
    face: LabelledFace, data: Dataset, network: Predictor, rng: np.random.Generator
) -> Iterator[tuple[str, Crop, np.ndarray]]:
    """The views of a face that a network is measured on, the clean one first.

    Yields:
        condition, the square of the original picture, and the network's (size, size, 3)
        uint8 RGB view of it.
    """
    size = network.spec.input_size
    picture = read_picture(face.image)
    views = [
        (condition, crop, extract(picture, crop, size, OPENCV))
        for condition, crop in _crops(face.points, data, network.spec.margin, rng)
    ]
    yield from views
    _, crop, clean = views[0]
    box = crop.to_units(face.points)
    for condition, image in _pixels(clean, box.min(axis=0), box.max(axis=0), rng):
        yield condition, crop, image


def _crops(
    points: np.ndarray, data: Dataset, margin: float, rng: np.random.Generator
) -> Iterator[tuple[str, Crop]]:
    clean = Crop.around(points, margin)
    yield "clean", clean
    # A head that rolls by an angle is the head in a square that turns the other way.
    for roll in (-ROLL, ROLL):
        yield f"head rolled by {roll:+.0f}°, upright box", Crop.around(points, margin, -roll)
    # In a square that turns with the eyes every roll looks the same: one row is for all.
    eyes = data.scheme.eyes_angle(points)
    yield "any roll, box turned with the eyes", Crop.around(points, margin, eyes)
    nearly = Crop.around(points, margin, eyes + float(rng.normal(0.0, LEVELLING)))
    yield f"any roll, box turned so within {LEVELLING:.0f}° (s.d.)", nearly
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        step = SHIFT * clean.side
        moved = replace(clean, cx=clean.cx + dx * step, cy=clean.cy + dy * step)
        yield f"box shifted by {100 * SHIFT:.0f} % (mean of 4 ways)", moved
    for scale in SCALES:
        yield f"box x {scale}", replace(clean, side=scale * clean.side)


def _pixels(
    clean: np.ndarray, low: np.ndarray, high: np.ndarray, rng: np.random.Generator
) -> Iterator[tuple[str, np.ndarray]]:
    """Spoilt copies of a crop; `low` and `high` are the face's box in crop units."""
    size = len(clean)
    yield f"blur, {BLUR:.0f} px of 224", cv2.GaussianBlur(clean, (0, 0), BLUR * size / 224)
    dark = LIGHT * clean + rng.normal(0.0, NOISE, clean.shape)
    yield f"low light, x {LIGHT} and noise", np.clip(dark + 0.5, 0, 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", clean[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG])
    jpeg = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))[..., ::-1]
    yield f"JPEG, quality {JPEG}", np.ascontiguousarray(jpeg)
    small = cv2.resize(clean, (size // 2, size // 2), interpolation=cv2.INTER_AREA)
    yield "half the resolution", cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)
    # Inside the face's box, and of its colour, as a hand is.
    corner = (low + rng.uniform(size=2) * np.maximum(high - low - PATCH, 0.0) + 0.5) * size
    x, y = np.rint(corner).astype(int)
    left, top, right, bottom = np.rint(np.concatenate([low, high]) * size + size / 2).astype(int)
    skin = np.median(clean[max(top, 0) : bottom, max(left, 0) : right], axis=(0, 1))
    hidden = clean.copy()
    side = round(PATCH * size)
    hidden[y : y + side, x : x + side] = skin
    yield f"a patch, {100 * PATCH:.0f} % x {100 * PATCH:.0f} % of the crop", hidden
