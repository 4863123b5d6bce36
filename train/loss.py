"""The paper's loss: an Active Shape Model assists the regression (its Eqs. 6-12).

    L_facial = D(S, Ŝ) + alpha · D(A, Ŝ)        A: the ASM operator on the labels S
    L        = 1 · L_facial + 0.5 · L_pose

with alpha = 2, 1, 0.5 over the thirds of the epochs: first the smooth shape,
then the details.  D is a choice of reading:

    squared: mean squared coordinate difference - what the paper's name "MSE" says;
    norm:    mean Euclidean distance of a point - what its Eq. 7 literally writes;
    wing:    Wing loss (Feng et al., CVPR 2018) on pixels of a 224-pixel crop, which
             neither lets outliers rule nor small errors fade.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from keras import ops

from asmnet.train.tensors import Tensor

__all__ = ["DISTANCES", "alpha_at", "facial_loss", "pose_loss", "total_loss"]

LAMBDA_FACIAL = 1.0
LAMBDA_POSE = 0.5
WING_WIDTH, WING_CURVATURE = 10.0, 2.0
WING_PIXELS = 224.0


def alpha_at(epoch: int, epochs: int) -> float:
    """Weight of the ASM term in the 0-based `epoch` of `epochs`: 2, 1, 0.5 by thirds."""
    return (2.0, 1.0, 0.5)[min(3 * epoch // epochs, 2)]


def _squared(difference: Tensor) -> Tensor:
    return ops.mean(ops.square(difference), axis=-1)


def _norm(difference: Tensor) -> Tensor:
    return ops.sqrt(ops.sum(ops.square(difference), axis=-1) + 1e-12)


def _wing(difference: Tensor) -> Tensor:
    x = ops.abs(difference) * WING_PIXELS
    near = WING_WIDTH * ops.log1p(x / WING_CURVATURE)
    offset = WING_WIDTH * (1.0 - math.log1p(WING_WIDTH / WING_CURVATURE))
    return ops.mean(ops.where(x < WING_WIDTH, near, x - offset), axis=-1)


DISTANCES = {"squared": _squared, "norm": _norm, "wing": _wing}


def facial_loss(
    labels: Tensor,
    smoothed: Tensor,
    predicted: Tensor,
    alpha: Tensor | float,
    distance: str = "squared",
    weights: Tensor | None = None,
) -> Tensor:
    """L_facial of each face.

    Args:
        labels, smoothed, predicted: (B, 2 N) in crop units: S, A and Ŝ.
        alpha: weight of the ASM term; 0 leaves the plain regression.
        distance: a key of `DISTANCES`.
        weights: (B, N) of the points: one that counts half adds half its distance; None: all
            count in full.

    Returns:
        (B,) tensor.
    """

    def measure(targets: Tensor) -> Tensor:
        difference = ops.reshape(predicted - targets, (-1, predicted.shape[-1] // 2, 2))
        apart = DISTANCES[distance](difference)
        return ops.mean(apart if weights is None else weights * apart, axis=-1)

    return measure(labels) + alpha * measure(smoothed)


def pose_loss(labels: Tensor, predicted: Tensor, distance: str = "squared") -> Tensor:
    """L_pose of each face from (B, 3) degrees; 0 for faces without a pose label (NaN).

    "squared" is the mean squared error in radians; the others take the mean
    absolute error in degrees, which balances Wing's pixels.
    """
    known = ops.cast(ops.logical_not(ops.isnan(labels)), "float32")
    difference = ops.where(ops.isnan(labels), 0.0, predicted - ops.nan_to_num(labels))
    if distance == "squared":
        return ops.mean(known * ops.square(difference * np.float32(np.pi / 180)), axis=-1)
    return ops.mean(known * ops.abs(difference), axis=-1)


def total_loss(
    targets: Mapping[str, Tensor],
    outputs: Mapping[str, Tensor],
    alpha: Tensor | float,
    distance: str = "squared",
) -> Tensor:
    """The paper's L, averaged over the batch.

    Args:
        targets: "landmarks" and "smoothed" (B, 2 N), "pose" (B, 3) degrees or NaN,
            and, where points weigh unlike, "weights" (B, N).
        outputs: "landmarks" (B, 2 N) and "pose" (B, 3).
        alpha: weight of the ASM term.
        distance: a key of `DISTANCES`.
    """
    facial = facial_loss(
        targets["landmarks"],
        targets["smoothed"],
        outputs["landmarks"],
        alpha,
        distance,
        targets.get("weights"),
    )
    pose = pose_loss(targets["pose"], outputs["pose"], distance)
    return ops.mean(LAMBDA_FACIAL * facial + LAMBDA_POSE * pose)
