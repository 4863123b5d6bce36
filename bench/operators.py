"""Where an exported network's time goes: each of its operations alone, in GMAC/s.

    python bench/operators.py [MODEL] [--peak GMAC/S] [--top N]

Every operation of the graph is cut out into a model of its own and run with the
same kernels (XNNPACK, one thread); all take turns, so that they share whatever else
the machine does, and the cost of calling an interpreter at all is taken off.  A large
1 x 1 convolution, as square as a matrix product gets, tells what the integer kernels
reach at their best.  Cut out, an operation finds its input in the cache more often
than in its network: the sum of the parts beside the whole shows by how much.
"""

from __future__ import annotations

import copy
import time
from collections import defaultdict
from typing import Any

import click
import numpy as np
from ai_edge_litert.schema_py_generated import ModelT

from asmnet import models
from asmnet.cli.progress import progress_bars, suppress_output
from asmnet.cli.tables import Table
from asmnet.core import cli_errors
from asmnet.edge_runtime.interpreter import load_interpreter
from asmnet.export.quantizer import serialize
from asmnet.export.report.tflite_graph import Operation, operations

ROUNDS, WARM_UP = 60, 5


def cut(content: bytes) -> list[bytes]:
    """Each operation of a one-graph `.tflite` as a model of its own, in their order."""
    whole = ModelT.InitFromPackedBuf(content, 0)
    (graph,) = whole.subgraphs
    constant = [whole.buffers[t.buffer].data is not None for t in graph.tensors]
    # Kernels of float layers may be stored in integers: their unpacking comes along.
    unpacking = {o.outputs[0]: o for o in graph.operators if all(constant[i] for i in o.inputs)}
    parts = []
    for operator in graph.operators:
        part, alone = copy.copy(whole), copy.copy(graph)
        needed = [unpacking[i] for i in operator.inputs if i in unpacking]
        steps = [copy.copy(step) for step in (*needed, operator)]
        used = list({i: 0 for step in steps for i in (*step.inputs, *step.outputs) if i >= 0})
        alone.tensors = [copy.copy(graph.tensors[i]) for i in used]
        # Buffer 0 is the empty one: computed tensors, and what another operation unpacks.
        part.buffers = [whole.buffers[0], *(whole.buffers[t.buffer] for t in alone.tensors)]
        for number, tensor in enumerate(alone.tensors, 1):
            tensor.buffer = number if part.buffers[number].data is not None else 0
        place = {tensor: number for number, tensor in enumerate(used)}
        made = {place[step.outputs[0]] for step in steps}
        for step in steps:
            step.inputs = [place.get(i, -1) for i in step.inputs]
            step.outputs = [place[i] for i in step.outputs]
        alone.operators = steps
        alone.inputs = [
            i for i in range(len(used)) if i not in made and alone.tensors[i].buffer == 0
        ]
        alone.outputs = list(steps[-1].outputs)
        part.subgraphs, part.signatureDefs, part.metadata = [alone], None, None
        parts.append(serialize(part))
    return parts


def square(size: int = 32, channels: int = 512) -> bytes:
    """A 1 x 1 int8 convolution of `channels` to `channels` on a `size` x `size` map."""
    import tensorflow as tf

    kernel = np.random.default_rng(0).normal(size=(1, 1, channels, channels)).astype(np.float32)

    @tf.function(input_signature=[tf.TensorSpec((1, size, size, channels))])
    def run(x: tf.Tensor) -> tf.Tensor:
        return tf.nn.conv2d(x, kernel, 1, "SAME")

    converter = tf.lite.TFLiteConverter.from_concrete_functions([run.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    data = np.random.default_rng(1).normal(size=(1, size, size, channels)).astype(np.float32)
    converter.representative_dataset = lambda: [[data]]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def time_all(contents: list[bytes], progress: Any) -> np.ndarray:
    """Median milliseconds of one inference of each model, taking turns."""
    with suppress_output():
        interpreters = [load_interpreter(content) for content in contents]
    rng = np.random.default_rng(0)
    for interpreter in interpreters:
        for detail in interpreter.get_input_details():
            low, high = (-128, 128) if detail["dtype"] == np.int8 else (-1, 2)
            value = rng.integers(low, high, detail["shape"]).astype(detail["dtype"])
            interpreter.set_tensor(detail["index"], value)
    spent = np.zeros((ROUNDS + WARM_UP, len(interpreters)))
    for turn in progress(range(len(spent)), "timing operations"):
        for index, interpreter in enumerate(interpreters):
            interpreter.invoke()  # its weights come into the cache
            start = time.perf_counter()
            interpreter.invoke()
            spent[turn, index] = time.perf_counter() - start
    median: np.ndarray = 1e3 * np.median(spent[WARM_UP:], axis=0)
    return median


@click.command()
@click.argument("model", default=models.DEFAULT)
@click.option("--peak", type=float, help="The processor's int8 peak, GMAC/s on one core.")
@click.option("--top", default=12, show_default=True, help="So many operations, slowest first.")
@cli_errors(extra="export")
def main(model: str, peak: float | None, top: int) -> None:
    """Time the operations of MODEL, a shipped model's name or a .tflite file."""
    from rich.console import Console

    content = models.find(model, ".tflite").read_bytes()
    with suppress_output():
        found, parts, best = operations(content), cut(content), square()
    # What is unpacked once, when the file is loaded, costs nothing later.
    once = [o.kind == "DEQUANTIZE" and o.weights > 0 for o in found]
    kept = [(o, p) for o, p, unpacked in zip(found, parts, once, strict=True) if not unpacked]
    idle = next(p for o, p in kept if o.kind in ("RESHAPE", "CONCATENATION"))
    with progress_bars() as progress:
        spent = time_all([content, best, idle, *(p for _, p in kept)], progress)
    whole, square_ms, idle_ms = spent[:3]
    alone = np.maximum(spent[3:] - idle_ms, 0)
    reached = 32 * 32 * 512 * 512 / square_ms / 1e6
    kinds: dict[str, list[tuple[Operation, float]]] = defaultdict(list)
    for (operation, _), ms in zip(kept, alone, strict=True):
        kinds[_kind(operation)].append((operation, float(ms)))
    console = Console(highlight=False, width=110)
    macs = sum(o.macs for o, _ in kept)
    measured = ["ms", "share, %", "M mult.", "GMAC/s", "% of the best kernel"]
    measured += ["% of the peak"] if peak else []
    sums = sorted(kinds.items(), key=lambda item: -sum(ms for _, ms in item[1]))
    rows = [
        [kind, len(members), *_cells(members, alone.sum(), reached, peak)]
        for kind, members in [*sums, ("all, one by one", [m for _, ms in sums for m in ms])]
    ]
    title = f"{model}: {whole:.2f} ms, {macs / whole / 1e6:.0f} GMAC/s, 1 thread"
    console.print(Table(title, ["kind", "operations", *measured], rows))
    slow = []
    for index in np.argsort(-alone)[:top]:
        operation = kept[index][0]
        shape = " x ".join(map(str, operation.shape[1:]))
        cells = _cells([(operation, float(alone[index]))], alone.sum(), reached, peak)
        slow.append([operation.layer, _kind(operation), shape, *cells])
    columns = ["layer", "kind", "output", *measured]
    console.print(Table("The slowest operations", columns, slow, words=2))
    console.print(f"best kernel: a 1 x 1 convolution of 512 channels, {reached:.0f} GMAC/s")


def _kind(operation: Operation) -> str:
    kind = operation.kind.lower().removesuffix("_2d").replace("_", " ")
    return kind if operation.integer else f"{kind}, float"


def _cells(
    members: list[tuple[Operation, float]], total: float, reached: float, peak: float | None
) -> list[str]:
    ms = sum(spent for _, spent in members)
    macs = sum(operation.macs for operation, _ in members)
    speed = macs / ms / 1e6 if ms else 0.0
    cells = [f"{ms:.3f}", f"{100 * ms / total:.1f}"]
    if not macs:
        return [*cells, *[""] * (4 if peak else 3)]
    cells += [f"{macs / 1e6:.1f}", f"{speed:.0f}", f"{100 * speed / reached:.0f}"]
    return [*cells, *([f"{100 * speed / peak:.0f}"] if peak else [])]


if __name__ == "__main__":
    main()
