"""A Keras network as a float `.tflite` file, by TensorFlow's converter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asmnet.core import UserError

if TYPE_CHECKING:
    import keras

__all__ = ["converter_of"]


def converter_of(network: keras.Model) -> Any:
    """A `tf.lite.TFLiteConverter` of the network at batch size 1, batch norms folded.

    `TFLiteConverter.from_keras_model` would save every layer as an object and every weight as a
    variable, and read them back: six times as slow.  Here they are constants of one function.

    Raises:
        UserError: Keras runs on another backend than TensorFlow.
    """
    import keras
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        raise UserError(
            f"conversion needs Keras on TensorFlow, not on {keras.backend.backend()}; "
            "set KERAS_BACKEND=tensorflow"
        )
    variables = (network.trainable_variables, network.non_trainable_variables)
    weights = [[keras.ops.convert_to_numpy(v) for v in each] for each in variables]

    def answer(image: Any) -> dict[str, Any]:
        constants = [[tf.constant(value) for value in each] for each in weights]
        return network.stateless_call(*constants, image, training=False)[0]

    image = tf.TensorSpec((1, *network.input_shape[1:]), tf.float32, name="image")
    function = tf.function(answer, autograph=False).get_concrete_function(image)
    return tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module())
