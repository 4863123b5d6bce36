"""Our int8 recipe beside ai-edge-quantizer's, on one network: parity, jitter, size, time.

    pip install ai-edge-quantizer==0.10.0
    python bench/other_quantizer.py [MODEL]

Both get the same prepared weights, the same calibration crops (the extremes of all are the
ranges), and leave the same layers in float.  Times are of both files in turn, one thread.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import click
import numpy as np
from shared import table

from asmnet import models
from asmnet.cli.progress import no_progress, progress_bars, suppress_output
from asmnet.core import ModelSpec, cli_errors, embed_spec
from asmnet.data.images import to_inputs
from asmnet.edge_runtime import Landmarker
from asmnet.edge_runtime.interpreter import load_interpreter
from asmnet.edge_runtime.parity import measure_jitter, run_file, shifts
from asmnet.export.convert import output_names
from asmnet.export.pipeline import export_with, load_job
from asmnet.export.recipes import FUSION, float32
from asmnet.export.weights.prepare import prepare

ROUNDS = 60


def theirs(content: bytes, crops: np.ndarray) -> bytes:
    """A float file quantized by ai-edge-quantizer's public interface.

    Args:
        content: the float file.
        crops: (M, size, size, 3) uint8 RGB to calibrate on.
    """
    from ai_edge_quantizer import algorithm_manager, calibrator, qtyping, quantizer, recipe_manager
    from ai_edge_quantizer.utils.qsv_utils import min_max_update

    names = qtyping.TFLOperationName
    fusion = f".*/({'|'.join(FUSION)}).*"
    recipe = recipe_manager.RecipeManager()
    for name in (names.INPUT, names.CONV_2D, names.DEPTHWISE_CONV_2D, names.ADD):
        recipe.add_static_config(".*", name, 8, 8)
    recipe.add_weight_only_config(fusion, names.CONV_2D, 8)
    recipe.add_weight_only_config(".*", names.FULLY_CONNECTED, 8)
    recipe.add_quantization_config(
        fusion, names.ADD, algorithm_key=algorithm_manager.AlgorithmName.NO_QUANTIZE
    )
    # The input's range is the contract's, whatever these crops happen to reach.
    whole = crops[:1].copy()
    whole[0, 0, :2] = [[0], [255]]
    samples = [{"image": to_inputs(crop[None])} for crop in (*whole, *crops[1:])]
    with tempfile.TemporaryDirectory() as folder, suppress_output():
        file = Path(folder) / "float.tflite"
        file.write_bytes(content)
        ranges = calibrator.Calibrator(str(file), num_threads=1, qsv_update_func=min_max_update)
        ranges.calibrate({"serving_default": samples}, recipe)
        made = quantizer.Quantizer(str(file), recipe.get_quantization_recipe())
        return bytes(made.quantize(ranges.get_model_qsvs()).quantized_model)


def write(file: Path, content: bytes, spec: ModelSpec) -> None:
    """A file with its contract."""
    landmarks, pose = output_names(content)
    file.write_bytes(content)
    embed_spec(file, spec.replace(landmarks_tensor=landmarks, pose_tensor=pose))


def milliseconds(files: dict[str, Path]) -> dict[str, float]:
    """Median time of one inference of each, the thread's own, in turn."""
    interpreters = {name: load_interpreter(file) for name, file in files.items()}
    spent: dict[str, list[float]] = {name: [] for name in files}
    for _ in range(ROUNDS):
        for name, interpreter in interpreters.items():
            start = time.thread_time()
            interpreter.invoke()
            spent[name].append(1e3 * (time.thread_time() - start))
    return {name: float(np.median(times)) for name, times in spent.items()}


@click.command()
@click.argument("model", default=models.DEFAULT)
@cli_errors(extra="export")
def main(model: str) -> None:
    """Print a Markdown table."""
    os.environ["KERAS_BACKEND"] = "tensorflow"  # only effective before Keras is imported
    with tempfile.TemporaryDirectory() as folder, progress_bars() as progress:
        source = models.find(model, ".keras")
        job = load_job(source, Path(folder), ["int8"], progress=progress)
        assert job.calibration is not None
        crops = job.calibration.images
        files = {"float": job.float_file, "ours": export_with(job, "int8", progress).file}
        with suppress_output():
            prepared = prepare(job.network, crops, centre=True)
            content = float32(prepared, crops, no_progress)
        files["ai-edge-quantizer"] = Path(folder) / "theirs.tflite"
        write(files["ai-edge-quantizer"], theirs(content, crops), job.spec)
        with suppress_output():
            loaded = {name: Landmarker.load(file) for name, file in files.items()}
        judged = job.eval_faces.images
        answers = {name: run_file(one, judged, progress) for name, one in loaded.items()}
        jitters = measure_jitter([*loaded.values()], judged, progress)
        spent = milliseconds(files)
        rows = []
        for (name, file), jitter in zip(files.items(), jitters, strict=True):
            moved = shifts(answers["float"], answers[name], job.spec)
            cells = [f"{metric.value:.3f}" for metric in moved]
            size = f"{file.stat().st_size / 1e6:.3f}"
            rows.append([name, *cells, f"{jitter:.3f}", size, f"{spent[name]:.2f}"])
    columns = ["shift mean, px", "p99", "max", "pose mean, °", "max", "jitter, %", "MB", "ms"]
    table(f"{model}, {len(judged)} crops", ["quantizer", *columns], rows)


if __name__ == "__main__":
    main()
