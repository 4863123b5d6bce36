"""The trained network: a `.keras` file, and its provenance in `NAME.json` beside it."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asmnet.cli.progress import suppress_output
from asmnet.core import SCHEMES, ModelSpec, UserError, parse_json

if TYPE_CHECKING:
    import keras

__all__ = ["load_float"]


def load_float(path: Path) -> tuple[keras.Model, ModelSpec]:
    """Load a trained network and what is known about it.

    `NAME.json` beside `NAME.keras` may hold "name", "scheme", "margin", "license", and the
    objects "training" and "evaluation".  Without it the scheme follows from the number
    of outputs, and the licence is "unknown".

    Returns:
        the network: (B, size, size, 3) float32 RGB in [-1, 1] to {"landmarks": (B, 2 N)
        crop units, "pose": (B, 3) degrees}; and its contract, without tensor names.

    Raises:
        UserError: missing, corrupt, or another kind of model.
    """
    if not path.is_file():
        raise UserError(f"cannot read model {path}: no such file; train one with asmnet-train")
    if path.suffix != ".keras":
        raise UserError(f"{path} is no .keras file; give the float model that asmnet-train saved")
    with suppress_output():
        from asmnet.train.model import load_network  # Keras

        network = load_network(path)
    known = _provenance(path.with_suffix(".json"))
    size, count = _check(network, path)
    fitting = next(s.name for s in SCHEMES.values() if s.count == count)
    if known.get("scheme", fitting) != fitting:
        raise UserError(
            f"{path.with_suffix('.json')} says scheme {known['scheme']!r}, but {path} has "
            f"{count} points; correct the file"
        )
    try:
        spec = ModelSpec(
            name=known.get("name", network.name.replace("_", "-")),
            version=importlib.metadata.version("asmnet"),
            scheme=fitting,
            input_size=size,
            landmarks_tensor="",
            pose_tensor="",
            margin=known.get("margin", ModelSpec.margin),
            evaluation=known.get("evaluation", {}),
            training=known.get("training", {}),
            license=known.get("license", "unknown"),
        )
    except UserError as error:
        raise UserError(f"{path.with_suffix('.json')}: {error}; correct the file") from error
    return network, spec


def _provenance(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        known = parse_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}; correct or remove it") from error
    if not isinstance(known, dict):
        raise UserError(f"{path}: expected an object")
    return known


def _check(network: keras.Model, path: Path) -> tuple[int, int]:
    """Size and number of points of a network, which must be of our kind."""
    taken = getattr(network, "input_shape", None)
    outputs = getattr(network, "output", None)
    given = {k: tuple(v.shape) for k, v in outputs.items()} if isinstance(outputs, dict) else None
    if isinstance(taken, tuple) and len(taken) == 4 and given is not None:
        _, height, width, channels = taken
        counts = {2 * scheme.count: scheme.count for scheme in SCHEMES.values()}
        points = given.get("landmarks", (None, None))[-1]
        if height == width and channels == 3 and given.get("pose") == (None, 3):
            if points in counts:
                return int(height), counts[points]
    raise UserError(
        f"{path} maps {taken} to {given or 'other outputs'}; "
        "expected a (None, size, size, 3) picture to landmarks (None, 136 or 196) and "
        "pose (None, 3), as asmnet-train saves it"
    )
