"""The TFLite interpreter behind every network here, and tensors in plain float32.

`ai-edge-litert` is the default, `tflite-runtime` the fallback (old Raspberry Pi
OS, armv7l).  The environment variable ``ASMNET_INTERPRETER`` forces one of them:
``ai-edge-litert`` or ``tflite-runtime``.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from asmnet.core import UserError

__all__ = ["Network", "interpreter_version", "load_interpreter", "require_numbers"]

_MODULES = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
}
_INSTALL = "pip install ai-edge-litert (or, on armv7l: pip install tflite-runtime 'numpy<2')"


def _find() -> tuple[str, Any]:
    """The first interpreter package that is installed and can work here, and its module."""
    forced = os.environ.get("ASMNET_INTERPRETER")
    if forced and forced not in _MODULES:
        raise UserError(f"ASMNET_INTERPRETER={forced!r} is none of {', '.join(_MODULES)}")
    reasons = []
    for package in [forced] if forced else list(_MODULES):
        if package == "tflite-runtime" and int(np.__version__.split(".")[0]) >= 2:
            # Built against numpy 1, its C extension kills the process in Interpreter(...):
            # this must be noticed before it is imported.
            try:
                version = importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError:
                pass
            else:
                raise UserError(
                    f"{package} {version} cannot run beside numpy {np.__version__}: "
                    "pip install 'numpy<2', or pip install ai-edge-litert instead"
                )
        try:
            return package, importlib.import_module(_MODULES[package])
        except ImportError as error:
            reasons.append(f"{package}: {error}")
    raise UserError(f"no TFLite interpreter works here ({'; '.join(reasons)}); {_INSTALL}")


def interpreter_version() -> str:
    """Name and version of the interpreter in use, for example "ai-edge-litert 2.3.0".

    Raises:
        UserError: none is usable.
    """
    package, _ = _find()
    return f"{package} {importlib.metadata.version(package)}"


def load_interpreter(
    model: str | os.PathLike[str] | bytes,
    threads: int = 1,
    xnnpack: bool = True,
    keep_tensors: bool = False,
) -> Any:
    """An interpreter with its tensors allocated.

    Args:
        model: path of a `.tflite` file, or its content.
        threads: CPU threads of one inference.
        xnnpack: use the XNNPACK kernels; without them the reference-like built-in
            ones, slower, to tell how much results depend on kernels.
        keep_tensors: let inner tensors be read after a run; only without XNNPACK.

    Returns:
        `Interpreter` of ai-edge-litert or tflite-runtime; both have the same methods.

    Raises:
        UserError: no usable interpreter, or the file is missing, corrupt or uses
            operations this interpreter lacks.
    """
    name = "the given bytes" if isinstance(model, bytes) else str(model)
    if threads < 1:
        raise UserError(f"{threads} threads cannot run anything; give 1 or more")
    try:
        content = model if isinstance(model, bytes) else Path(model).read_bytes()
    except OSError as error:
        raise UserError(f"cannot read model {name}: {error.strerror or error}") from error
    if content[4:8] != b"TFL3":
        raise UserError(f"{name} is not a TFLite model (or is truncated); export it again")
    package, module = _find()
    if package == "tflite-runtime" and _kills(hashlib.sha256(content).digest(), content):
        raise UserError(f"{name} is corrupt or truncated; export it again")
    resolver = module.OpResolverType
    try:
        interpreter = module.Interpreter(
            model_content=content,
            num_threads=threads,
            experimental_preserve_all_tensors=keep_tensors,
            experimental_op_resolver_type=(
                resolver.AUTO if xnnpack else resolver.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            ),
        )
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split()) or "no reason given"
        raise UserError(
            f"{name} cannot be loaded, it is corrupt or made for another interpreter "
            f"({reason}); export it again"
        ) from error
    return interpreter


_TRIAL = (
    "import sys; from tflite_runtime.interpreter import Interpreter; "
    "Interpreter(model_content=sys.stdin.buffer.read()).allocate_tensors()"
)
_killers: dict[bytes, bool] = {}


def _kills(digest: bytes, content: bytes) -> bool:
    """Whether tflite-runtime would die of a file, which it reads without checking it.

    Tried once per file in a process of its own.  (ai-edge-litert verifies files itself.)
    """
    if digest not in _killers:
        trial = subprocess.run(
            [sys.executable, "-c", _TRIAL], input=content, capture_output=True, check=False
        )
        _killers[digest] = trial.returncode < 0
    return _killers[digest]


# Networks answer within a few squares and degrees; with more the arithmetic would overflow.
_ABSURD = 1e6


def require_numbers(name: str, *answers: np.ndarray) -> None:
    """Check that a network answered something to calculate with.

    Args:
        name: of the network, for the message.
        answers: floats of any shape.

    Raises:
        UserError: NaN, infinity or an absurdly large number is among them.
    """
    for values in answers:
        if not (np.abs(values) < _ABSURD).all():
            worst = values[~(np.abs(values) < _ABSURD)][0]
            raise UserError(
                f"{name} answers {worst:.3g}, which no sound network does; its file is damaged: "
                "get or export it again"
            )


class Network:
    """A one-input TFLite model: its tensors by name, its outputs as float32.

    Attributes:
        name: the file, for messages.
        interpreter: see `load_interpreter`, which also tells the errors raised.
        input: the interpreter's details of the input tensor.
        outputs: the details of the output tensors by name.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes,
        threads: int = 1,
        xnnpack: bool = True,
        keep_tensors: bool = False,
    ) -> None:
        self.name = "the given model" if isinstance(model, bytes) else str(model)
        self.interpreter = load_interpreter(model, threads, xnnpack, keep_tensors)
        inputs = self.interpreter.get_input_details()
        if len(inputs) != 1:
            raise UserError(f"{self.name} has {len(inputs)} inputs, not 1; it is another model")
        self.input: dict[str, Any] = inputs[0]
        self.outputs: dict[str, dict[str, Any]] = {
            detail["name"]: detail for detail in self.interpreter.get_output_details()
        }

    def require(self, size: int, channels: int, outputs: dict[str, tuple[int, ...]]) -> None:
        """Check that the tensors are the expected ones.

        Args:
            size, channels: the input must be (1, size, size, channels).
            outputs: names and shapes of the outputs that must exist.

        Raises:
            UserError: the first tensor that differs.
        """
        expected = (1, size, size, channels)
        if tuple(self.input["shape"]) != expected:
            raise UserError(
                f"{self.name} takes {tuple(map(int, self.input['shape']))}, expected {expected}; "
                "it is another model"
            )
        for name, shape in outputs.items():
            found = tuple(map(int, self.outputs[name]["shape"])) if name in self.outputs else None
            if found != shape:
                raise UserError(
                    f"{self.name} has no output {name!r} of shape {shape} "
                    f"(it has {', '.join(self.outputs)}); it is another model"
                )

    def run(self, tensor: np.ndarray) -> None:
        """Run on a tensor of the input's shape and dtype (already quantized).

        Raises:
            UserError: the interpreter cannot; the file is corrupt.
        """
        try:
            self.interpreter.set_tensor(self.input["index"], tensor)
            self.interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise UserError(
                f"{self.name} cannot be run, it is corrupt ({reason}); export it again"
            ) from error

    def output(self, name: str) -> np.ndarray:
        """A copy of an output of the last `run`, dequantized to float32."""
        detail = self.outputs[name]
        value: np.ndarray = self.interpreter.get_tensor(detail["index"])
        if value.dtype == np.float32:
            return value
        scale, zero_point = detail["quantization"]
        real: np.ndarray = (value.astype(np.float32) - zero_point) * np.float32(scale)
        return real
