"""The graph of a functional Keras network, from Keras' public names alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

__all__ = ["inputs_of", "readers_of", "run_layers"]


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


def run_layers(network: keras.Model, images: Any, call: Callable[[keras.Layer, Any], Any]) -> Any:
    """Run a network with a call of one's own in place of each layer's.

    Args:
        network: a functional model with one input, each of whose layers is used once.
        images: its input, a tensor.
        call: takes a layer and the tensor that it reads, or the list of those; its answer
            stands for the layer's.

    Returns:
        the network's outputs, in the structure of `network.output`.
    """
    import keras

    values = {id(network.input): images}
    for layer in network.layers[1:]:
        read = [values[id(tensor)] for tensor in inputs_of(layer)]
        values[id(layer.output)] = call(layer, read[0] if len(read) == 1 else read)
    return keras.tree.map_structure(lambda tensor: values[id(tensor)], network.output)
