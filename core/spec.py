"""The model contract: `asmnet.json`, stored inside the `.tflite` file itself.

So one file is all that a device needs: see `asmnet.core.associated_files`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asmnet.core.associated_files import embed_file, embedded_file, network_bytes
from asmnet.core.files import UserError
from asmnet.core.landmarks import SCHEMES, Scheme
from asmnet.core.pose import ANGLES
from asmnet.core.strict_json import parse_json

__all__ = ["CONTRACT", "ModelSpec", "RANGES", "SCHEMA", "embed_spec", "read_spec"]

SCHEMA = "asmnet/1"
CONTRACT = "asmnet.json"
# Bytes of a contract that are read; real ones have some 5 kB.
LONGEST = 1 << 20
# What a contract may say: least and most.  Beyond, crops show no face or one grey.
RANGES = {"input_size": (1, 4096), "mean": (0, 255), "std": (1, 255), "margin": (1, 4)}


@dataclass(frozen=True)
class ModelSpec:
    """What a runtime must know to use a model file.

    However it is made, its values are checked.

    Attributes:
        name: for example "asmnet-68-224-int8".
        version: of the package that exported the file.
        scheme: name of the landmark scheme, a key of `SCHEMES`.
        input_size: side in pixels, 1 to 4096; the input is
            (1, input_size, input_size, 3) RGB.
        mean, std: network input = (uint8 pixel - mean) / std; 0 to 255 and 1 to 255.
        margin: crop side = margin x longer side of the landmarks' tight box; 1 to 4.
        landmarks_tensor, pose_tensor: names of the outputs: (1, 2 N) crop units
            ordered x0, y0, x1, ..., and (1, 3) degrees yaw, pitch, roll.
        quantization, parity, evaluation, training: provenance and figures.
        license: what the weights may be used for.

    Raises:
        UserError: a value has the wrong type or is out of its range (`RANGES`).
    """

    name: str
    version: str
    scheme: str
    input_size: int
    landmarks_tensor: str
    pose_tensor: str
    mean: float = 127.5
    std: float = 127.5
    margin: float = 1.25
    quantization: dict[str, Any] = field(default_factory=dict)
    parity: dict[str, Any] = field(default_factory=dict)
    evaluation: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    license: str = ""

    def __post_init__(self) -> None:
        for key in ("name", "version", "scheme", "landmarks_tensor", "pose_tensor"):
            _check_line(key, getattr(self, key))
        if self.scheme not in SCHEMES:
            raise UserError(f"scheme {self.scheme!r} is none of {', '.join(SCHEMES)}")
        for key, (least, most) in RANGES.items():
            _check_number(key, getattr(self, key), least, most)
        if not isinstance(self.input_size, int):
            raise UserError(f"input_size {self.input_size!r} is no whole number")
        if not isinstance(self.license, str):
            raise UserError(f"license {self.license!r} is no text")
        for key in _RECORDS:
            if not isinstance(getattr(self, key), dict):
                raise UserError(f"{key} is no object")

    @property
    def landmark_scheme(self) -> Scheme:
        """The landmark scheme itself."""
        return SCHEMES[self.scheme]

    def replace(self, **changes: Any) -> ModelSpec:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_json(self) -> str:
        """The contract as written into files; a figure that is no number becomes null."""
        document = {
            "schema": SCHEMA,
            "name": self.name,
            "version": self.version,
            "scheme": self.scheme,
            "input": {"size": self.input_size, "color": "RGB", "mean": self.mean, "std": self.std},
            "crop": {"margin": self.margin},
            "outputs": {
                "landmarks": {"tensor": self.landmarks_tensor, "units": "crop"},
                "pose": {"tensor": self.pose_tensor, "order": list(ANGLES), "units": "deg"},
            },
            "quantization": self.quantization,
            "parity": self.parity,
            "evaluation": self.evaluation,
            "training": self.training,
            "license": self.license,
        }
        return json.dumps(_without_nan(document), indent=2)

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        """Parse and check a contract.

        Raises:
            ValueError: it is not JSON, lacks a field, or holds a value this
                version cannot serve; the message names it.
        """
        document = parse_json(text)
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            found = document.get("schema") if isinstance(document, dict) else document
            raise ValueError(f"schema {str(found)[:40]!r} is not {SCHEMA!r}")
        try:
            source, outputs = document["input"], document["outputs"]
            color = source["color"]
            # Files of version 0.1.0 say that crops are upright; now all are.
            turned = document["crop"].get("align_roll", False)
            spec = cls(
                name=document["name"],
                version=document["version"],
                scheme=document["scheme"],
                input_size=source["size"],
                mean=source["mean"],
                std=source["std"],
                margin=document["crop"]["margin"],
                landmarks_tensor=outputs["landmarks"]["tensor"],
                pose_tensor=outputs["pose"]["tensor"],
                license=document.get("license", ""),
                **{key: document.get(key, {}) for key in _RECORDS},
            )
        except KeyError as error:
            raise ValueError(f"field {error} is missing") from error
        except (AttributeError, TypeError) as error:
            raise ValueError(f"a field has the wrong type ({error})") from error
        if color != "RGB":
            raise ValueError(f"input color {str(color)[:40]!r} is not 'RGB'")
        if turned is not False:
            raise ValueError("align_roll is not false: crops are upright")
        return spec


_RECORDS = ("quantization", "parity", "evaluation", "training")


def _check_line(key: str, value: object) -> None:
    if not isinstance(value, str):
        raise UserError(f"{key} {str(value)[:40]!r} is no text")
    # They appear in messages, which are one line each.
    if len(value) > 500 or re.search(r"[\x00-\x1f\x7f-\x9f]", value):
        raise UserError(f"{key} {value[:40]!r} is too long or has control characters")


def _check_number(key: str, value: object, least: float, most: float) -> None:
    # A bool is an int to Python.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UserError(f"{key} {str(value)[:40]!r} is no number")
    if not least <= value <= most:
        raise UserError(f"{key} {value:.6g} is not between {least} and {most}")


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def embed_spec(model: str | os.PathLike[str], spec: ModelSpec) -> None:
    """Write the contract into a `.tflite` file, in place of one already there.

    It gets the network's SHA-256, so that a damaged file is noticed before it runs.
    """
    digest = hashlib.sha256(network_bytes(model)).hexdigest()
    document = json.loads(spec.to_json()) | {"sha256": digest}
    embed_file(model, CONTRACT, (json.dumps(document, indent=2) + "\n").encode())


def read_spec(model: str | os.PathLike[str]) -> ModelSpec:
    """Read the contract out of a `.tflite` file.

    Raises:
        UserError: the file is missing, is no TFLite model, has no valid contract, or is not
            what it was when the contract was written.
    """
    path = Path(model)
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise UserError(f"cannot read model {path}: {error.strerror or error}") from error
    # A FlatBuffer names its format at bytes 4..8.
    if head[4:8] != b"TFL3":
        raise UserError(
            f"{path} is not a TFLite model (or is truncated); make one with asmnet-export"
        )
    content = embedded_file(path, CONTRACT, LONGEST)
    if content is None:
        raise UserError(
            f"{path} carries no {CONTRACT}: it was not exported by asmnet-export, "
            "or it is truncated; export it again"
        )
    try:
        spec = ModelSpec.from_json(content.decode())
    except ValueError as error:
        raise UserError(f"{path} has an unusable {CONTRACT}: {error}; export it again") from error
    expected = json.loads(content).get("sha256")
    # Files of version 0.1.0 and those of other tools state none.
    if expected not in (None, hashlib.sha256(network_bytes(path)).hexdigest()):
        raise UserError(f"{path} is damaged (its SHA-256 differs); get or export it again")
    return spec
