"""What mirrored pictures hide: labels that lie to one side.

Annotators, and the tools that they correct, may put all points a little to the right.  Those of
300-W do, by 1 % of the distance between the eyes (docs/measurements/experiments.md).  A picture
that is mirrored in training has its labels mirrored too, so that over both the offset is zero, and
no network can learn it, as it learns how high the points lie.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import keras
import numpy as np
from keras import ops

from asmnet.data.faces import LabelledFace
from asmnet.data.images import crop_faces
from asmnet.train.asm_model import predict

__all__ = ["LabelOffset"]

MEASURED_ON = 400  # faces; their mean shift is then known to 0.08 % of the eyes' distance


class LabelOffset:
    """Adds the labels' offset to a network's answers while it is judged and saved.

    Training goes on without it: mirrored pictures would only take it back.

    Args:
        network: one with a layer "landmarks".
        faces: with the labels whose offset is meant, and which the network learns from.
        margin: of the crops.
    """

    def __init__(self, network: keras.Model, faces: Sequence[LabelledFace], margin: float):
        chosen = faces[:: max(1, len(faces) // MEASURED_ON)]
        self._network = network
        self._images, self._points, _ = crop_faces(chosen, network.input_shape[1], margin)
        ones = np.ones(self._points.shape[1])
        self._weights = np.array([ones if f.weights is None else f.weights for f in chosen])

    def measure(self) -> float:
        """How far the labels lie to the right of the answers, in crop units, on average."""
        found, _ = predict(self._network, self._images)
        aside = (self._points - found)[..., 0] * self._weights
        return float(aside.sum() / max(self._weights.sum(), 1e-9))

    @contextlib.contextmanager
    def added(self) -> Iterator[float]:
        """The network with the offset, as it is now; without it again at the end."""
        bias = self._network.get_layer("landmarks").bias
        before, offset = np.array(ops.convert_to_numpy(bias)), self.measure()
        bias.assign(before + np.resize([offset, 0], before.shape).astype(np.float32))
        try:
            yield offset
        finally:
            bias.assign(before)

    def around(
        self, observers: Sequence[keras.callbacks.Callback]
    ) -> list[keras.callbacks.Callback]:
        """The observers, which see the network with the offset at the end of each epoch."""
        with_offset = contextlib.ExitStack()
        return [
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda *_: with_offset.enter_context(self.added())
            ),
            *observers,
            keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: with_offset.close()),
        ]
