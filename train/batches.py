"""Batches of augmented faces, in an order that a resumed run repeats."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from asmnet.train import augment
from asmnet.train.packed import PackedFaces
from asmnet.train.recipes import Recipe
from asmnet.train.shape_model import ShapeModel

__all__ = ["Batches"]


class Batches(keras.utils.PyDataset):
    """Shuffled, augmented batches; a function of seed and epoch alone, so runs resume exactly.

    Args:
        faces: the training set.
        shape_model: makes the targets of the ASM term.
        recipe: tells batch size and augmentation.
        size, margin: side of the network's input in pixels, and margin of its crops.
        seed: of order and augmentation.
        chances: (M,) how often each face is drawn, relative to the others; None: all alike,
            each once an epoch.
        crops: length of an epoch with `chances`, in faces.
        rows: which of each batch `batches[i]` has, where processes share it.
    """

    def __init__(
        self,
        faces: PackedFaces,
        shape_model: ShapeModel,
        recipe: Recipe,
        size: int,
        margin: float,
        seed: int,
        chances: np.ndarray | None = None,
        crops: int = 0,
        rows: slice = slice(None),
    ):
        super().__init__()
        self.chances = None if chances is None else chances / chances.sum()
        self.crops = crops if chances is not None else len(faces.points)
        self.faces, self.recipe, self.scheme = faces, recipe, shape_model.scheme
        self.size, self.margin, self.seed, self.rows = size, margin, seed, rows
        self.smoothed = ops.convert_to_numpy(shape_model.smooth(faces.points))
        self.start(0)

    def __len__(self) -> int:
        """Whole batches only: one shape, one compilation."""
        return max(1, self.crops // self.recipe.batch)

    def start(self, epoch: int) -> None:
        """Put the batches of `epoch` in order."""
        self.epoch = epoch
        rng, count = np.random.default_rng((self.seed, self.epoch)), len(self.faces.points)
        if self.chances is None:
            order = rng.permutation(count)
        else:
            order = rng.choice(count, self.crops, p=self.chances)
        self.order = np.resize(order, max(len(order), self.recipe.batch))

    def on_epoch_end(self) -> None:
        """Next epoch, next order."""
        self.start(self.epoch + 1)

    def __getitem__(self, index: int) -> tuple[dict, dict]:
        """Packed pictures with the parameters of their augmentation, and moved labels."""
        return self._batch(index, self.rows)

    def whole(self, index: int) -> tuple[dict, dict]:
        """All rows of a batch, the same in every process."""
        return self._batch(index, slice(None))

    def _batch(self, index: int, rows: slice) -> tuple[dict, dict]:
        chosen = self.order[index * self.recipe.batch :][: self.recipe.batch]
        # Drawn for all rows, so that they do not depend on who computes them.
        parameters, targets = (
            {key: value[rows] for key, value in drawn.items()}
            for drawn in augment.draw(
                np.random.default_rng((self.seed, self.epoch, index)),
                self.faces.points[chosen],
                self.smoothed[chosen],
                self.faces.pose[chosen],
                self.scheme,
                self.recipe.augmentation,
                self.faces.images.shape[1],
                self.size,
                self.margin,
                self.faces.weights[chosen],
            )
        )
        return {"images": self.faces.images[chosen[rows]], **parameters}, targets
