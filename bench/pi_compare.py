"""Do two machines answer alike?  The comparisons of `bench/pi_check.sh`.

    python bench/pi_compare.py answer OUT.npz [MODEL ...] [--frames ONE.npz]
    python bench/pi_compare.py answers ONE.npz OTHER.npz --limit 0
    python bench/pi_compare.py tracks ONE.jsonl OTHER.jsonl

`answer` runs on each machine and needs the base install alone; the others compare what it
and `asmnet-webcam --jsonl` wrote there, print a Markdown table, and exit with 1 if that is
farther apart than it may be.
"""

from __future__ import annotations

import itertools
import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np

from asmnet import models, samples
from asmnet.cli.progress import suppress_output
from asmnet.core import Crop, cli_errors, read_spec
from asmnet.edge_runtime import FaceDetector, FaceTracker, Landmarker, frames_from
from asmnet.edge_runtime.interpreter import Network, interpreter_version, load_interpreter
from asmnet.edge_runtime.io.pictures import read_bgr
from asmnet.edge_runtime.landmarker import input_table

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
FRAMES = 30
# What float arithmetic in another order may move, in pixels and degrees.
FLOAT = 1e-3
# The same for tracks of the clip: FFmpeg's colours differ by a grey level or two from processor
# to processor, which tips roundings.  Pixels of the frame that 99 % of the faces keep and that
# all do, as the exporter's gate has them, and degrees.
SHIFT_99, SHIFT, TURN = 2.5, 5.0, 1.0


@click.group()
def main() -> None:
    """Compare the answers of two machines."""


@main.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.argument("names", nargs=-1, metavar="[MODEL ...]")
@click.option("--frames", type=click.Path(exists=True), help="Track these, not one's own.")
@cli_errors(extra="export")
def answer(out: Path, names: tuple[str, ...], frames: str | None) -> None:
    """Keep what this machine makes of the recorded crops, stage by stage."""
    with suppress_output():
        found = _answer(names, frames)
    np.savez(out, **found)


def _answer(names: tuple[str, ...], frames: str | None) -> dict[str, Any]:
    decoded = np.stack([f.image for f in itertools.islice(frames_from("demo"), FRAMES)])
    found: dict[str, Any] = {
        "made_by": f"{interpreter_version()}, OpenCV {cv2.__version__}",
        "frames": decoded,
    }
    tracker = FaceTracker(Landmarker.load(), FaceDetector.load())
    for index, image in enumerate(np.load(frames)["frames"] if frames else decoded):
        (face,) = tracker.update(image, index / 30)
        found[f"track/{index}"] = face.landmarks
    for name in names or models.shipped():
        landmarker = Landmarker.load(name)
        size = landmarker.spec.input_size
        golden = np.load(GOLDEN / f"crops-{size}.npz")
        for file, place in zip(golden["pictures"], golden["places"], strict=True):
            picture = read_bgr(samples.LONDON.parent / str(file))
            found[f"picture/{file}"] = picture
            found[f"crop/{size}/{file}"] = landmarker.extract(picture, Crop(*place))
            found[f"box/{file}"] = tracker.search.detector.detect(picture)[0].box
        answers = [landmarker.raw(crop) for crop in golden["crops"]]
        found[f"landmarks/{name}"] = np.stack([points for points, _ in answers])
        found[f"pose/{name}"] = np.stack([pose for _, pose in answers])
        for tensor, values in integers(name, golden["crops"]):
            found[f"integers/{name}/{tensor}"] = values
    return found


def integers(name: str, crops: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The int8 tensors from which a network's float part begins, and what they hold.

    The file is run with two of them at a time in place of its outputs, so that the kernels
    are those of any other run.
    """
    path = models.find(name, ".tflite")
    content = path.read_bytes()
    plain = load_interpreter(content, xnnpack=False)
    steps = plain._get_ops_details()
    computed = {int(tensor) for step in steps for tensor in step["outputs"]}
    inner = [
        int(step["inputs"][0])
        for step in steps
        if step["op_name"] == "DEQUANTIZE" and int(step["inputs"][0]) in computed
    ]
    # How a .tflite stores the list of its two outputs.
    outputs = struct.pack("<3i", 2, *(detail["index"] for detail in plain.get_output_details()))
    assert content.count(outputs) == 1 and len(inner) % 2 == 0, name
    for pair in zip(inner[::2], inner[1::2], strict=True):
        network = Network(content.replace(outputs, struct.pack("<3i", 2, *pair)))
        table = input_table(read_spec(path), np.int8, *network.input["quantization"])
        held: dict[int, list[np.ndarray]] = {tensor: [] for tensor in pair}
        for crop in crops:
            network.run(cv2.LUT(crop, table)[None])
            for tensor in pair:
                held[tensor].append(network.interpreter.get_tensor(tensor))
        for tensor, values in held.items():
            yield tensor, np.stack(values)


@main.command()
@click.argument("one", type=click.Path(exists=True, path_type=Path))
@click.argument("other", type=click.Path(exists=True, path_type=Path))
@click.option("--limit", type=float, required=True, help="Pixels of 224; 0: integers are equal.")
@cli_errors(extra="export")
def answers(one: Path, other: Path, limit: float) -> None:
    """Compare what `answer` kept: the networks' outputs must keep the limit."""
    first, second = np.load(one), np.load(other)

    def apart(key: str) -> np.ndarray:
        difference: np.ndarray = np.abs(first[key].astype(float) - second[key].astype(float))
        return difference

    click.echo(f"{second['made_by']} against {first['made_by']}\n")
    click.echo("| on the same crops | int8 values that differ | by, steps | px | degrees |")
    click.echo("|---|---|---|---|---|")
    failed = False
    for key in (k for k in second.files if k.startswith("landmarks/")):
        name = key.removeprefix("landmarks/")
        steps = np.concatenate(
            [apart(k).ravel() for k in second.files if k.startswith(f"integers/{name}/")]
        )
        size = read_spec(models.find(name, ".tflite")).input_size
        shift, turn = apart(key).max() * size, apart(f"pose/{name}").max()
        click.echo(
            f"| {name} | {(steps > 0).sum():,} of {steps.size:,} | {steps.max():.0f} "
            f"| {shift:.2g} | {turn:.2g} |"
        )
        failed |= not limit and bool(steps.any())
        failed |= bool(max(shift * 224 / size, turn) > max(limit, FLOAT))
    click.echo("\n| stage | the same | largest difference |\n|---|---|---|")
    frames = apart("frames").max(axis=(1, 2, 3))
    click.echo(
        f"| frames of the clip, decoded | {(frames == 0).sum()} of {len(frames)} "
        f"| {frames.max():.0f} grey levels |"
    )
    for kind, what, unit in (
        ("picture", "pictures, decoded", "grey levels"),
        ("crop", "crops of the pictures", "grey levels"),
        ("box", "boxes from the detector", "px"),
        ("track", "landmarks tracked in the same frames", "px"),
    ):
        values = [apart(key).max() for key in second.files if key.startswith(f"{kind}/")]
        equal = sum(value == 0 for value in values)
        click.echo(f"| {what} | {equal} of {len(values)} | {max(values):.2g} {unit} |")
    sys.exit(int(failed))


@main.command()
@click.argument("one", type=click.Path(exists=True, path_type=Path))
@click.argument("other", type=click.Path(exists=True, path_type=Path))
@cli_errors(extra="export")
def tracks(one: Path, other: Path) -> None:
    """Compare two runs over the clip; the second may have been stopped early."""
    first, second = (_frames(file) for file in (one, other))
    pairs = list(zip(first, second, strict=False))
    alike = [_identity(a) == _identity(b) for a, b in pairs]
    whole, cut, turn = [0.0], [0.0], [0.0]
    for a, b in itertools.compress(pairs, alike):
        for face, its in zip(a["faces"], b["faces"], strict=True):
            points = np.subtract(face["landmarks"], its["landmarks"])
            inside = _is_inside(face, a["size"]) and _is_inside(its, a["size"])
            (whole if inside else cut).append(float(np.linalg.norm(points, axis=-1).max()))
            turn.append(max(abs(face["pose"][k] - its["pose"][k]) for k in face["pose"]))
    click.echo("| tracks of the clip | |\n|---|---|")
    click.echo(f"| frames compared, of {len(first)} | {len(pairs)} |")
    click.echo(f"| the same frame, time, size and faces' numbers | {sum(alike)} |")
    for kind, shift in (("wholly in the picture", whole), ("that the edge cuts", cut)):
        median, high = np.percentile(shift, (50, 99))
        click.echo(
            f"| {len(shift) - 1} faces {kind}: the landmark farthest apart, median / 99th "
            f"percentile / most, px | {median:.2f} / {high:.2f} / {max(shift):.2f} |"
        )
    click.echo(f"| pose apart at most, degrees | {max(turn):.2f} |")
    often, most = np.percentile(whole + cut, (99, 100))
    near = often <= SHIFT_99 and most <= SHIFT and max(turn) <= TURN
    sys.exit(int(not (pairs and all(alike) and near)))


def _is_inside(face: dict[str, Any], size: list[int]) -> bool:
    left, top, right, bottom = face["box"]
    return bool(min(left, top) >= 0 and right < size[0] and bottom < size[1])


def _frames(file: Path) -> list[dict[str, Any]]:
    lines = (json.loads(line) for line in file.read_text().splitlines())
    return [line for line in lines if "faces" in line]


def _identity(line: dict[str, Any]) -> tuple[Any, ...]:
    return line["frame"], line["t"], line["size"], [face["id"] for face in line["faces"]]


if __name__ == "__main__":
    main()
