"""The One-Euro filter: still points stay still, moving points are not late.

Casiez, Roussel, Vogel, "1 Euro Filter" (CHI 2012): a first-order low-pass whose
cutoff frequency grows with the speed of the signal.
"""

from __future__ import annotations

import numpy as np

__all__ = ["OneEuro"]


class OneEuro:
    """One-Euro filter of a set of points, driven by timestamps.

    Speeds are measured in `scale` (a face size) per second, so the same parameters
    serve every resolution, distance and frame rate.

    Attributes:
        min_cutoff: Hz, of a point at rest; lower has less jitter.
        beta: Hz per (scale / second); higher follows movement faster.
        speed_cutoff: Hz, of the filter on the speed itself.
    """

    def __init__(self, min_cutoff: float, beta: float, speed_cutoff: float = 1.5) -> None:
        self.min_cutoff = min_cutoff
        self.beta = beta
        self.speed_cutoff = speed_cutoff
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next value passes unchanged."""
        self._time: float | None = None
        self._raw = self._value = self._velocity = np.zeros(0)

    def __call__(self, value: np.ndarray, time: float, scale: float = 1.0) -> np.ndarray:
        """Filter the next value.

        Args:
            value: (N, D); a point's D coordinates share one speed.
            time: seconds, of any origin.  A time before the last one resets the filter.
            scale: what counts as one unit of distance, in units of `value`.

        Returns:
            (N, D) float64.
        """
        value = np.asarray(value, np.float64)
        step = -1.0 if self._time is None else time - self._time
        if step < 0 or value.shape != self._value.shape:
            self._value, self._velocity = value, np.zeros_like(value)
        elif step > 0:
            velocity = (value - self._raw) / (step * scale)
            self._velocity = self._velocity + _gain(self.speed_cutoff, step) * (
                velocity - self._velocity
            )
            speed = np.sqrt(np.square(self._velocity).sum(axis=-1, keepdims=True))
            gain = _gain(self.min_cutoff + self.beta * speed, step)
            self._value = self._value + gain * (value - self._value)
        self._time, self._raw = time, value
        return self._value


def _gain(cutoff: np.ndarray | float, step: float) -> np.ndarray | float:
    """The share of the new value in a first-order low-pass (equation 1 of the paper)."""
    return 1 / (1 + 1 / (2 * np.pi * cutoff * step))
