"""The model contract: `asmnet.json`, stored inside the `.tflite` file itself.

A TFLite file may carry *associated files* as a zip archive appended to the
FlatBuffer (https://ai.google.dev/edge/litert/models/metadata).  Interpreters
ignore the appendix; Python's `zipfile` and Java's `ZipFile` read it.  So one
file is all that a device needs.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asmnet.core.files import UserError
from asmnet.core.landmarks import SCHEMES, Scheme

__all__ = [
    "CONTRACT",
    "ModelSpec",
    "SCHEMA",
    "embed_file",
    "embed_spec",
    "embedded_file",
    "read_spec",
]

SCHEMA = "asmnet/1"
CONTRACT = "asmnet.json"


@dataclass(frozen=True)
class ModelSpec:
    """What a runtime must know to use a model file.

    Attributes:
        name: for example "asmnet-68-224-int8".
        version: of the package that exported the file.
        scheme: name of the landmark scheme, a key of `SCHEMES`.
        size: input side in pixels; the input is (1, size, size, 3) RGB.
        mean, std: network input = (uint8 pixel - mean) / std.
        margin: crop side = margin x longer side of the landmarks' tight box.
        align_roll: whether crops are turned so that the eyes are level.
        landmarks, pose: names of the output tensors: (1, 2 N) crop units
            ordered x0, y0, x1, ..., and (1, 3) degrees yaw, pitch, roll.
        quantization, parity, evaluation, training: provenance and figures.
        license: what the weights may be used for.
    """

    name: str
    version: str
    scheme: str
    size: int
    landmarks: str
    pose: str
    mean: float = 127.5
    std: float = 127.5
    margin: float = 1.25
    align_roll: bool = False
    quantization: dict[str, Any] = field(default_factory=dict)
    parity: dict[str, Any] = field(default_factory=dict)
    evaluation: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    license: str = ""

    @property
    def points(self) -> Scheme:
        """The landmark scheme itself."""
        return SCHEMES[self.scheme]

    def replace(self, **changes: Any) -> ModelSpec:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_json(self) -> str:
        """The contract as written into files."""
        document = {
            "schema": SCHEMA,
            "name": self.name,
            "version": self.version,
            "scheme": self.scheme,
            "input": {"size": self.size, "color": "RGB", "mean": self.mean, "std": self.std},
            "crop": {"margin": self.margin, "align_roll": self.align_roll},
            "outputs": {
                "landmarks": {"tensor": self.landmarks, "units": "crop"},
                "pose": {"tensor": self.pose, "order": ["yaw", "pitch", "roll"], "units": "deg"},
            },
            "quantization": self.quantization,
            "parity": self.parity,
            "evaluation": self.evaluation,
            "training": self.training,
            "license": self.license,
        }
        return json.dumps(document, indent=2)

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        """Parse and check a contract.

        Raises:
            ValueError: it is not JSON, lacks a field, or holds a value this
                version cannot serve; the message names it.
        """
        document = json.loads(text)
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            found = document.get("schema") if isinstance(document, dict) else document
            raise ValueError(f"schema {found!r} is not {SCHEMA!r}")
        try:
            source, outputs = document["input"], document["outputs"]
            spec = cls(
                name=str(document["name"]),
                version=str(document["version"]),
                scheme=str(document["scheme"]),
                size=int(source["size"]),
                mean=float(source["mean"]),
                std=float(source["std"]),
                margin=float(document["crop"]["margin"]),
                align_roll=bool(document["crop"]["align_roll"]),
                landmarks=str(outputs["landmarks"]["tensor"]),
                pose=str(outputs["pose"]["tensor"]),
                license=str(document.get("license", "")),
                **{
                    key: dict(document.get(key, {}))
                    for key in ("quantization", "parity", "evaluation", "training")
                },
            )
        except KeyError as error:
            raise ValueError(f"field {error} is missing") from error
        except TypeError as error:
            raise ValueError(f"a field has the wrong type ({error})") from error
        if spec.scheme not in SCHEMES:
            raise ValueError(f"scheme {spec.scheme!r} is none of {', '.join(SCHEMES)}")
        if not (0 < spec.size <= 4096 and spec.std > 0 and spec.margin > 0):
            raise ValueError("input size, std and crop margin must be positive")
        if source.get("color") != "RGB":
            raise ValueError(f"input color {source.get('color')!r} is not 'RGB'")
        return spec


def embed_spec(model: str | os.PathLike[str], spec: ModelSpec) -> None:
    """Write the contract into a `.tflite` file, in place of one already there.

    It gets the network's SHA-256, so that a damaged file is noticed before it runs.
    """
    document = json.loads(spec.to_json()) | {
        "sha256": hashlib.sha256(_network(Path(model))).hexdigest()
    }
    embed_file(model, CONTRACT, (json.dumps(document, indent=2) + "\n").encode())


def embed_file(model: str | os.PathLike[str], name: str, data: bytes) -> None:
    """Append a file to a `.tflite` file, in place of one of that name."""
    path = Path(model)
    files: dict[str, bytes] = {}
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            files = {i.filename: archive.read(i) for i in archive.infolist()}
        with path.open("r+b") as file:
            file.truncate(len(_network(path)))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for key, content in (files | {name: data}).items():
            # A fixed time keeps the file a function of its content.
            archive.writestr(zipfile.ZipInfo(key, (1980, 1, 1, 0, 0, 0)), content)


def embedded_file(model: str | os.PathLike[str], name: str) -> bytes | None:
    """The content of a file that `embed_file` appended; None if there is none.

    Raises:
        UserError: it is damaged.
    """
    path = Path(model)
    if not zipfile.is_zipfile(path):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(name) if name in archive.namelist() else None
    except (zipfile.BadZipFile, zlib.error, OSError) as error:
        raise UserError(f"{path}: {name} is damaged ({error}); export it again") from error


def _network(path: Path) -> bytes:
    """A `.tflite` file without the files appended to it."""
    content = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            end = min((i.header_offset for i in archive.infolist()), default=archive.start_dir)
        content = content[:end]
    return content


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
    try:
        with zipfile.ZipFile(path) as archive:
            text = archive.read(CONTRACT).decode()
        spec = ModelSpec.from_json(text)
        expected = json.loads(text).get("sha256")
        # Files of version 0.1.0 and those of other tools state none.
        if expected not in (None, hashlib.sha256(_network(path)).hexdigest()):
            raise UserError(f"{path} is damaged (its SHA-256 differs); get or export it again")
        return spec
    except (zipfile.BadZipFile, zlib.error, KeyError, OSError, NotImplementedError) as error:
        raise UserError(
            f"{path} carries no {CONTRACT}: it was not exported by asmnet-export, "
            "or it is truncated; export it again"
        ) from error
    except ValueError as error:
        raise UserError(f"{path} has an unusable {CONTRACT}: {error}; export it again") from error
