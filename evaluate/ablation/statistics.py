"""What several trainings, judged on the same faces, show: means, intervals, differences.

Two things scatter: the faces at hand, which a bootstrap over faces measures, and
the trainings, which only their repetition with other seeds can measure.  A
difference counts as shown when it stands out of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from asmnet.core import ANGLES, auc, failure_rate

__all__ = ["Scores", "bootstrap_interval", "difference", "summarise"]

RESAMPLES = 2000
# Student's t, 97.5 %, for 2, 3, ... 10 seeds; more seeds use the last, a little too strict.
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


class Scores(NamedTuple):
    """How one trained network did on M faces.

    Attributes:
        errors: (M,) NME in %.
        pose: (M, 3) absolute errors of yaw, pitch, roll in degrees, NaN without a label.
    """

    errors: np.ndarray
    pose: np.ndarray


def bootstrap_interval(
    values: np.ndarray, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of a mean (Efron and Tibshirani, 1993, chapter 13).

    Args:
        values: (M,) one value a face.
        resamples: how many times M faces are drawn with replacement.
        seed: of the draws: the same values give the same interval.
    """
    values = np.asarray(values, np.float64)
    drawn = np.random.default_rng(seed).integers(len(values), size=(resamples, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), (2.5, 97.5))
    return float(low), float(high)


def summarise(runs: Sequence[Scores]) -> dict[str, Any]:
    """One model on one test set: its figures over the seeds, fit for JSON.

    Args:
        runs: one entry a seed, all on the same faces.

    Returns:
        "nme" (%, with "ci95" over faces), "fr10" (%), "auc10" and, where labels exist,
        "pose_mae" by angle (degrees): each "mean", "std" over seeds (None for one seed)
        and "seeds".
    """
    per_face = np.mean([run.errors for run in runs], axis=0)
    figures: dict[str, Any] = {
        "nme": _over_seeds(run.errors.mean() for run in runs)
        | {"ci95": bootstrap_interval(per_face)},
        "fr10": _over_seeds(failure_rate(run.errors) for run in runs),
        "auc10": _over_seeds(auc(run.errors) for run in runs),
    }
    known = ~np.isnan(runs[0].pose).any(axis=1)
    if known.any():
        by_angle = np.transpose([run.pose[known].mean(axis=0) for run in runs])
        figures["pose_mae"] = dict(zip(ANGLES, map(_over_seeds, by_angle), strict=True))
    return figures


def difference(without: Sequence[Scores], assisted: Sequence[Scores]) -> dict[str, Any]:
    """What the ASM term changes, in NME points; positive where it lowers the error.

    Runs of the same seed share their batches, and all share the test faces, so both are
    paired: seed by seed, face by face.

    Returns:
        "mean", "std" and "seeds" of the difference, "ci95" over faces, and a "verdict".
    """
    gains = np.array([a.errors - b.errors for a, b in zip(without, assisted, strict=True)])
    figures = _over_seeds(gains.mean(axis=1))
    low, high = bootstrap_interval(gains.mean(axis=0))
    seeds, faces = gains.shape
    # One seed tells nothing of how far trainings scatter: no difference is shown by it.
    reach = np.inf
    if seeds > 1:
        reach = STUDENT[min(seeds, 10) - 2] * figures["std"] / np.sqrt(seeds)
    if abs(figures["mean"]) > reach and (low > 0 or high < 0):
        verdict = "helps" if figures["mean"] > 0 else "hurts"
    else:
        verdict = f"no difference that {seeds} seed{'s' * (seeds > 1)} and {faces} faces can show"
    return figures | {"ci95": (low, high), "verdict": verdict}


def _over_seeds(figures: Iterable[float]) -> dict[str, Any]:
    values = [float(value) for value in figures]
    std = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "std": std, "seeds": values}
