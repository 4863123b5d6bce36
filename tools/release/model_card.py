"""The model card: what a shipped network is, how good, made how, and its limits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from asmnet.cli.tables import Table
from asmnet.core import SCHEMES, ModelSpec
from asmnet.data.datasets import LabelledFace
from asmnet.data.images import poses_of
from asmnet.edge_runtime.parity import LABELS
from asmnet.export.report.console import RATIOS
from tools.release.hard_faces import Hard, hard_section

__all__ = [
    "ACCURACY",
    "PARITY",
    "RESEARCH",
    "TESTS",
    "Published",
    "accuracy",
    "card",
    "license_of",
    "parity",
    "sources_of",
]

ACCURACY, PARITY = "## Accuracy\n\n", "## Parity of int8 with float\n\n"

ABOUT_ARCHITECTURES = {
    "asmnet": "The paper's network with nothing added: half a MobileNetV2, of which six maps are "
    "averaged over the face\nand concatenated under two linear heads.",
    "asmnet_spatial": "The paper's network and, beside the six maps that it averages over the "
    "face, a small one of ours that keeps\npositions: three maps of unlike resolution, "
    "projected onto the deepest one's grid and added.",
    "mobilenetv2": "The paper's peer: a whole MobileNetV2 under the same two linear heads.",
}
# Whose pictures may be used for research only.
RESEARCH = {"300w": "300-W", "300wlp": "300W-LP", "wflw": "WFLW"}
TESTS = {
    "300w": ("300-W's common test subset", "ibug68"),
    "wflw": ("WFLW's test faces at hand", "wflw98"),
}


@dataclass(frozen=True)
class Published:
    """What a card is made from.

    Attributes:
        name: of the files.
        arch: a key of `asmnet.train.model.ARCHITECTURES`.
        parameters, flops: of the float network.
        spec: the int8 file's contract, parity figures included.
        test: a key of `TESTS`.
        rows: figures of `Evaluation.to_dict` by what was evaluated.
        hard: what `tools.release.hard_faces.measure_hard` found.
        settings: of the last run.
        commands: of all runs, oldest first.
        faces: those of the last run, of all its sources, held-out ones included.
        notes: further paragraphs on the training.
    """

    name: str
    arch: str
    parameters: int
    flops: int
    spec: ModelSpec
    test: str
    rows: dict[str, dict[str, Any]]
    hard: Hard
    settings: dict[str, Any]
    commands: Sequence[str]
    faces: Sequence[LabelledFace]
    notes: Sequence[str] = ()


def sources_of(commands: Sequence[str]) -> list[str]:
    """What the runs learned from, for example ["300w:DIR", "labels.jsonl"].

    Of a plan's labels, which lie in its run folder, the stages' names.
    """
    found = re.findall(r"--(?:data|extra) (?:runs/[^/ ]+/)?(\S+)", " ".join(commands))
    return list(dict.fromkeys(source.removesuffix("/labels.jsonl") for source in found))


def license_of(commands: Sequence[str]) -> str:
    """What the weights may be used for."""
    sources = sources_of(commands)
    names = [RESEARCH[kind] for kind in RESEARCH if f"{kind}:DIR" in sources]
    own = [source for source in sources if source.partition(":")[0] not in RESEARCH]
    terms = []
    if names:
        terms.append(
            f"Research use only: trained on {' and '.join(names)}, whose pictures are licensed "
            "for research"
        )
    if own:
        terms.append(f"trained on {', '.join(own)}: the licence of those pictures applies")
    if any("--init imagenet" in command for command in commands):
        terms.append("started from Keras' ImageNet weights (Apache-2.0)")
    text = "; ".join(terms)
    return f"{text[:1].upper()}{text[1:]}."


def card(model: Published) -> str:
    """The card in Markdown."""
    spec, name = model.spec, model.name
    count = spec.landmark_scheme.count
    return f"""# {name}

ASMNet (Fard, Abdollahi and Mahoor, CVPR-W 2021): {count} landmarks ({spec.scheme}) and
head pose from a {spec.input_size} x {spec.input_size} RGB crop around one face.
{ABOUT_ARCHITECTURES[model.arch]}
{model.parameters / 1e6:.2f} M parameters, {model.flops / 1e9:.2f} GFLOP; \
{_loss(model.commands)}.
Made by `python -m tools.release.publish`; do not edit.

**Licence: {spec.license}**

| file | what |
|---|---|
| `{name}.keras` | the float network, for Keras 3 on any backend |
| `{name}-int8.tflite` | int8 trunk, float heads from int8 weights; contract and reference inside |
| `{name}.shape.npz` | Active Shape Model of its training faces |
| `{name}.json` | provenance and figures, read by asmnet-export |

{ACCURACY}{accuracy(name, spec, model.test, model.rows)}

{PARITY}{parity(spec)}

Faces, ranges and layers: [the report](../docs/measurements/reports/{name}.html) (download it to
look at it).

```
asmnet-export {name} --quantize
```

{hard_section(name, model.hard)}

## Training

{_training(model)}

## Limits

{_limits(model)}
"""


def _loss(commands: Sequence[str]) -> str:
    plain = ["--loss mse" in command for command in commands if "train --" in command]
    if not any(plain):
        return "ASM-assisted loss"
    if all(plain):
        return "plain regression loss, no ASM term"
    return f"ASM-assisted loss in {plain.count(False)} of {len(plain)} runs, plain in the others"


def accuracy(name: str, spec: ModelSpec, test: str, rows: dict[str, dict[str, Any]]) -> str:
    """The section on accuracy; arguments as in `Published`."""
    title, scheme = TESTS[test]
    posed = any("pose_mae" in row for row in rows.values())
    first = next(iter(rows.values()))
    text = f"{title}, {first['faces']} faces; inter-ocular NME in %."
    if SCHEMES[scheme] is not spec.landmark_scheme:
        text += " Compared in the 68 points that both schemes have."
    if posed:
        text += (
            "\nPose against the labels of `head_pose.csv` (a pretrained network's, as in the "
            "paper), degrees."
        )
    text += (
        "\nDetector boxes: the detector looks around each labelled face, and the network once more "
        "around what it found there;\nmissed faces count as failures."
    )
    header = ["model", "NME", "FR > 10 %", "AUC to 10 %"]
    header += ["yaw / pitch / roll MAE"] * posed + ["missed"]
    lines = []
    for label, row in rows.items():
        angles = " / ".join(f"{v:.2f}" for v in row.get("pose_mae", {}).values())
        cells = [label, f"{row['nme']:.2f}", f"{row['fr10']:.2f}", f"{row['auc10']:.3f}"]
        lines.append([*cells, *[angles] * posed, str(row["missed"])])
    table = Table("", header, lines).markdown()
    command = f"asmnet-eval {name} --data {test}:DIR [--boxes detector]"
    return f"{text}\n\n{table}\n\n```\n{command}\n```"


def parity(spec: ModelSpec) -> str:
    """The section on what int8 changes, from the int8 file's contract."""
    faces, calibration = spec.parity["faces"], spec.quantization["calibration"]
    rows = [
        [LABELS.get(key, key), _own(figure, "float"), _own(figure, "exported"),
         RATIOS.get(key, "{:.4g}").format(figure["value"]),
         f"{figure['limit']:.4g}" if "limit" in figure else ""]
        for key, figure in spec.parity["figures"].items()
    ]  # fmt: skip
    table = Table("", ["figure", "float", "int8", "value", "limit"], rows).markdown()
    return f"""On {faces["images"]} crops of {faces["pictures"]} pictures of {faces["source"]} \
under {spec.parity["interpreter"]}, one thread;
calibrated on {calibration["images"]} crops of {calibration["pictures"]} others. Pixels are those \
of the {spec.input_size}-pixel input;
the limit applies to the value. Times are those of the machine that exported it, however busy.

{table}"""


def _own(figure: dict[str, Any], key: str) -> str:
    return f"{figure[key]:.3g}" if key in figure else ""


def _training(model: Published) -> str:
    data, held_out = _source(model.settings["data"]), model.settings["validation"]
    if labels := model.settings.get("extra"):
        data += f" and {len(labels)} more source{'s' if len(labels) > 1 else ''} of labels"
    text = f"The last run had {data}: {len(model.faces):,} faces"
    if held_out:
        text += (
            f";\nthe {held_out:.0%} of the pictures that were held out chose the epoch whose "
            "weights ship"
        )
    else:
        text += ", none held out;\nthe shipped weights are those of its last epoch"
    text += f". Seed {model.settings['seed']}."
    commands = "\n".join(model.commands)
    return "\n\n".join([text, f"```\n{commands}\n```", *model.notes])


def _limits(model: Published) -> str:
    poses = poses_of(model.faces)
    yaw = np.abs(poses[~np.isnan(poses).any(axis=1), 0])
    if len(yaw):
        pose = (
            f"{np.mean(yaw < 30):.0%} of the training faces with a pose label look within 30 "
            f"degrees of the camera,\n{np.mean(yaw > 60):.1%} beyond 60, where the landmarks of "
            "the hidden side are ill-defined. Pose labels came from\nother networks."
        )
    else:
        pose = (
            "No face of the last run had a pose label: its angles are what is left of the network "
            "that it started\nfrom, and were not measured."
        )
    return f"""{pose} Accuracy by age, sex and skin tone was not measured. It says where a face's
points are if there is a face; it does not say whether there is one, and it must not be used to
identify people."""


def _source(data: str) -> str:
    kind, _, path = data.rpartition(":")
    return f"{RESEARCH.get(kind, kind)}'s training pictures" if kind else path.rpartition("/")[2]
