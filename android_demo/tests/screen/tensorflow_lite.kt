// A phone's native library does not run here: the app's interpreter is the JVM's instead.
package org.tensorflow.lite

import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.asmnet.core.AsmnetException
import org.asmnet.core.Quantization.Type
import org.asmnet.jvm.TfliteInterpreter

class Interpreter(model: ByteBuffer, options: Options) : AutoCloseable {
    class Options {
        var threads = 1

        fun setNumThreads(threads: Int) = apply { this.threads = threads }

        fun setUseXNNPACK(@Suppress("UNUSED_PARAMETER") use: Boolean) = this

        fun addDelegate(delegate: Delegate): Options =
            throw IllegalArgumentException("$delegate is a phone's")
    }

    private class Described(
        private val name: String,
        private val type: DataType,
        private val shape: IntArray,
        private val quantization: Tensor.QuantizationParams,
    ) : Tensor {
        override fun name() = name

        override fun dataType() = type

        override fun shape() = shape

        override fun shapeSignature() = shape

        override fun numDimensions() = shape.size

        override fun numElements() = shape.fold(1, Int::times)

        override fun numBytes() = numElements() * type.byteSize()

        override fun quantizationParams() = quantization

        override fun index() = throw UnsupportedOperationException()

        override fun asReadOnlyBuffer() = throw UnsupportedOperationException()
    }

    private val network = try {
        val content = ByteArray(model.capacity()).also { model.duplicate().get(it) }
        TfliteInterpreter(content, "the model", options.threads)
    } catch (error: AsmnetException) {
        throw IllegalArgumentException(error.message)
    }
    private val input = network.input()
    private val isFloat = input.type == Type.FLOAT32
    private val names = network.outputs()

    fun getInputTensorCount() = 1

    fun getInputTensor(@Suppress("UNUSED_PARAMETER") index: Int): Tensor = Described(
        "input",
        if (isFloat) DataType.FLOAT32 else DataType.INT8,
        intArrayOf(1, input.side, input.side, 3),
        Tensor.QuantizationParams(input.scale, input.zeroPoint),
    )

    fun getOutputTensorCount() = names.size

    fun getOutputTensor(index: Int): Tensor = Described(
        names[index],
        DataType.FLOAT32,
        intArrayOf(1, network.count(names[index])),
        Tensor.QuantizationParams(0f, 0),
    )

    fun runForMultipleInputsOutputs(inputs: Array<Any>, outputs: Map<Int, Any>) {
        val picture = inputs[0] as ByteBuffer
        if (isFloat) {
            val values = FloatArray(input.count())
            picture.duplicate().order(ByteOrder.nativeOrder()).asFloatBuffer().get(values)
            network.run(values)
        } else {
            val levels = ByteArray(input.count())
            picture.duplicate().get(levels)
            network.run(levels)
        }
        for ((index, buffer) in outputs) {
            val values = FloatArray(network.count(names[index]))
            network.output(names[index], values)
            (buffer as ByteBuffer).asFloatBuffer().put(values)
        }
    }

    override fun close() = network.close()
}
