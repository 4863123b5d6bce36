"""Who reads what in a functional Keras network."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

__all__ = ["inputs_of", "readers_of"]


def inputs_of(layer: keras.Layer) -> list:
    """The tensors that a layer reads, in order."""
    return layer.input if isinstance(layer.input, list) else [layer.input]


def readers_of(network: keras.Model) -> dict[int, list[keras.Layer]]:
    """The layers that read a tensor, by its identity; in network order."""
    readers = defaultdict(list)
    for layer in network.layers:
        for tensor in inputs_of(layer):
            readers[id(tensor)].append(layer)
    return readers
