"""Ship a trained run: model files, figures and card, all from commands that anyone can rerun.

    python -m asmnet.export.publish runs/mine mine-68-224 --test 300w:DIR

writes NAME.keras, NAME.shape.npz, NAME.json (provenance), NAME-int8.tflite and
NAME.md (the model card) into `models/`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from asmnet import models
from asmnet.core import ModelSpec, UserError, atomic_path, cli_errors, read_spec
from asmnet.export.evaluate import evaluate
from asmnet.export.terminal import progress

__all__ = ["main"]

LICENSE = (
    "Research use only: trained on 300-W, whose pictures are licensed for research; "
    "started from Keras' ImageNet weights (Apache-2.0)."
)
# Options of asmnet-train in the order of a command; what equals the default is left out.
OPTIONS = ("recipe", "arch", "loss", "norm", "size", "epochs", "rate", "seed", "validation")
DEFAULTS = {"recipe": "modern", "arch": "asmnet", "loss": "asm", "norm": "batch", "size": 224}
DEFAULTS |= {"seed": 0, "validation": 0.1}


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("name")
@click.option("--test", required=True, help="Labelled faces to report on: 300w:DIR.")
@click.option("--into", type=click.Path(path_type=Path), default=Path(models.__file__).parent)
@cli_errors
def main(run: Path, name: str, test: str, into: Path) -> None:
    """Publish the best network of RUN as NAME."""
    stages = _stages(run)
    source = run / "best.keras"
    if not source.is_file():
        raise UserError(f"{run} holds no best.keras; is it a folder that asmnet-train made?")
    model = into / f"{name}.keras"
    with atomic_path(model) as file:
        shutil.copyfile(source, file)
    with atomic_path(into / f"{name}.shape.npz") as file:
        shutil.copyfile(run / "shape.npz", file)
    with progress() as track:
        found, spec = evaluate(model, test, track=track)
    data = test.split(":")[0]
    commands = [_command(stage) for stage in stages]
    provenance: dict[str, Any] = {
        "scheme": spec.scheme,
        "margin": stages[-1]["margin"],
        "training": {"data": f"{data}, training subset", "commands": commands},
        "evaluation": {"data": f"{data}, common subset", **found.to_dict()},
        "license": LICENSE,
    }
    with atomic_path(model.with_suffix(".json")) as file:
        file.write_text(json.dumps(provenance, indent=2) + "\n")
    int8 = into / f"{name}-int8.tflite"
    export = [sys.executable, "-c", "from asmnet.export.cli import main; main()"]
    exported = subprocess.run([*export, str(model), "--quantize", "-o", str(int8)])
    if exported.returncode:
        raise UserError(f"{model} was written, but its int8 export failed; see above")
    with progress() as track:
        quantized, _ = evaluate(int8, test, track=track)
        detected, _ = evaluate(int8, test, boxes="detector", track=track)
    rows = {
        "float": found.to_dict(),
        "int8": quantized.to_dict(),
        "int8, detector boxes": detected.to_dict(),
    }
    with atomic_path(into / f"{name}.md") as file:
        file.write_text(_card(name, read_spec(int8), rows, commands, data, stages[-1]["seed"]))


def _stages(run: Path) -> list[dict[str, Any]]:
    """The settings of a run and of those that it started from, oldest first."""
    try:
        settings = json.loads((run / "run.json").read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {run / 'run.json'}: {error}; give a run folder") from error
    settings["run"] = run.name
    init = Path(settings["init"])
    if init.suffix == ".keras":
        return [*_stages(init.parent), settings]
    return [settings | {"init": "imagenet"}]


def _command(stage: dict[str, Any]) -> str:
    init = stage["init"]
    if init.endswith(".keras"):
        init = f"runs/{Path(init).parent.name}/{Path(init).name}"
    kind = stage["data"].split(":")[0]
    parts = [f"asmnet-train --data {kind}:DIR --run runs/{stage['run']} --init {init}"]
    parts += [f"--{k} {stage[k]}" for k in OPTIONS if stage[k] != DEFAULTS.get(k)]
    return " ".join(parts)


def _card(
    name: str, spec: ModelSpec, rows: dict[str, dict], commands: list[str], data: str, seed: int
) -> str:
    figures = spec.parity["figures"]
    scored = "\n".join(
        f"| {label} | {r['nme']:.2f} | {r['fr10']:.2f} | {r['auc10']:.3f} | "
        + " / ".join(f"{v:.2f}" for v in r["pose_mae"].values())
        + f" | {r['missed']} |"
        for label, r in rows.items()
    )
    parity = "\n".join(
        f"| {key} | {value['value']:.4g} | {value.get('limit', '')} |"
        for key, value in figures.items()
    )
    calibration = spec.quantization["calibration"]
    steps = "\n".join(commands)
    return f"""# {name}

ASMNet (Fard, Abdollahi and Mahoor, CVPR-W 2021): {spec.points.count} landmarks
({spec.scheme}) and head pose from a {spec.size} x {spec.size} RGB crop around one face.
Made by `python -m asmnet.export.publish`; do not edit.

**Licence: {spec.license}**

| file | what |
|---|---|
| `{name}.keras` | the float network, for Keras 3 on any backend |
| `{name}-int8.tflite` | int8 convolutions, float heads; contract inside |
| `{name}.shape.npz` | the shape model of its ASM loss |
| `{name}.json` | provenance and figures, read by asmnet-export |

## Accuracy

300-W common subset, {rows["float"]["faces"]} faces, inter-ocular NME in %; pose against the
labels of `head_pose.csv` (a pretrained network's, as in the paper), degrees. In the last row the
face box comes from the detector, which looks around each labelled face; missed faces count as
failures.

| model | NME | FR > 10 % | AUC to 10 % | yaw / pitch / roll MAE | missed |
|---|---|---|---|---|---|
{scored}

```
asmnet-eval models/{name}.keras --data {data}:DIR
asmnet-eval models/{name}-int8.tflite --data {data}:DIR
asmnet-eval models/{name}-int8.tflite --data {data}:DIR --boxes detector
```

## Parity of int8 with float

On {spec.parity["faces"]["images"]} crops of {spec.parity["faces"]["source"]} under
{spec.parity["interpreter"]}, one thread; calibrated on {calibration["images"]} crops.
Shifts in pixels of the {spec.size}-pixel input, pose in degrees.

| figure | value | limit |
|---|---|---|
{parity}

```
asmnet-export models/{name}.keras --quantize
```

## Training

On 300-W's training pictures (2,012 at hand: AFW, Helen, LFPW; one in ten held out), seed
{seed}; the shipped weights are the best of the last run on the held-out faces.

```
{steps}
```

## Limits

Trained on 2,012 pictures that are mostly near-frontal (93 % with |yaw| below 30 degrees), adult and
well lit; beyond |yaw| 60 the 68-point scheme itself is ill-defined. Pose labels came from another
network. Accuracy by age, sex and skin tone was not measured. It says where a face's points are if
there is a face; it does not say whether there is one, and it must not be used to identify people.
"""


if __name__ == "__main__":
    main()
