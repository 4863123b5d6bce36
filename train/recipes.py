"""Training recipes: the paper's, ours, and its last epochs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import keras

from asmnet.train import augment

__all__ = ["RECIPES", "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """Everything but the data and the network.

    Attributes:
        epochs, batch: length and batch size.
        learning_rate: the highest.
        warmup: fraction of the steps that rise linearly to it; then a cosine falls to 1 %.
            None: the paper's rate / (1 + decay · step).
        point_loss: reading of the point loss, see `asmnet.train.loss`.
        augmentation: augmentation.
        ema_momentum: momentum of the weight average that is judged and shipped when the
            batch-norm statistics are frozen (an average has none of its own); 0: none.
        dropout: before the heads.
    """

    epochs: int
    batch: int
    learning_rate: float
    warmup: float | None
    point_loss: str
    augmentation: augment.Augmentation
    ema_momentum: float = 0.0
    dropout: float = 0.0

    def optimizer(self, steps: int, average: bool) -> keras.optimizers.Optimizer:
        """Adam over `steps` steps; beta 0.9 / 0.999 and decay 1e-5 as in the paper."""
        averaging = {"use_ema": True, "ema_momentum": self.ema_momentum} if average else {}
        if self.warmup is None:
            rate = keras.optimizers.schedules.InverseTimeDecay(self.learning_rate, 1, 1e-5)
            return keras.optimizers.Adam(rate, **averaging)
        rising = max(1, int(self.warmup * steps))
        rate = keras.optimizers.schedules.CosineDecay(
            self.learning_rate / 100,
            decay_steps=max(1, steps - rising),
            alpha=0.01,
            warmup_target=self.learning_rate,
            warmup_steps=rising,
        )
        return keras.optimizers.Adam(rate, **averaging)


_MODERN = Recipe(
    epochs=60,
    batch=32,
    learning_rate=1e-3,
    warmup=0.05,
    point_loss="wing",
    augmentation=augment.MODERN,
    ema_momentum=0.995,
)
RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "paper": Recipe(
            epochs=150,
            batch=50,
            learning_rate=1e-2,
            warmup=None,
            point_loss="squared",
            augmentation=augment.PAPER,
            dropout=0.5,
        ),
        "modern": _MODERN,
        # The last epochs of a trained network, on faces more like those it will meet.
        "polish": replace(_MODERN, epochs=8, learning_rate=3e-4, augmentation=augment.MILD),
        # The same for a network that is to stand tilted heads, dim light and hidden parts.
        "sturdy": replace(_MODERN, epochs=8, learning_rate=3e-4, augmentation=augment.STURDY),
    }
)
