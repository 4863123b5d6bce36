from __future__ import annotations

import importlib.metadata
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from asmnet import models
from asmnet.core import UserError, read_spec
from asmnet.edge_runtime import FaceDetector, Landmarker
from asmnet.edge_runtime import interpreter as module
from asmnet.edge_runtime.interpreter import Network, load_interpreter


@pytest.mark.parametrize("kept", [0, 4, 100, 100_000], ids=lambda n: f"{n} bytes")
def test_a_truncated_model_is_refused(kept: int, tmp_path: Path):
    path = tmp_path / "cut.tflite"
    path.write_bytes(models.DETECTOR.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"cut\.tflite"):
        load_interpreter(path)


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_model_is_refused(seed: int, tmp_path: Path):
    rng = np.random.default_rng(seed)
    content = bytearray(models.DETECTOR.read_bytes())
    for place in rng.integers(8, 2000, 30):
        content[place] = rng.integers(256)
    with pytest.raises(UserError, match=r"^the given bytes .* corrupt"):
        load_interpreter(bytes(content))


def test_a_missing_model_is_named(tmp_path: Path):
    with pytest.raises(UserError, match=r"nowhere\.tflite: No such file"):
        load_interpreter(tmp_path / "nowhere.tflite")


def test_no_threads_is_refused():
    with pytest.raises(UserError, match="0 threads"):
        load_interpreter(models.DETECTOR, threads=0)


def test_a_landmarker_is_no_detector_and_the_reverse(model: Path):
    with pytest.raises(UserError, match="another model"):
        FaceDetector.load(model)
    with pytest.raises(UserError, match=r"carries no asmnet\.json"):
        Landmarker.load(models.DETECTOR)
    with pytest.raises(UserError, match="another model"):
        Landmarker(Network(models.DETECTOR), read_spec(model))


def test_kernels_without_xnnpack_give_nearly_the_same_boxes():
    square = np.zeros((1, 128, 128, 3), np.float32)
    fast, plain = (Network(models.DETECTOR, xnnpack=x) for x in (True, False))
    for network in (fast, plain):
        network.run(square)
    np.testing.assert_allclose(fast.output("regressors"), plain.output("regressors"), atol=0.1)


def test_an_unknown_interpreter_name_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ASMNET_INTERPRETER", "tensorrt")
    with pytest.raises(UserError, match="ASMNET_INTERPRETER='tensorrt' is none of ai-edge-litert"):
        load_interpreter(models.DETECTOR)


def test_without_any_interpreter_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ASMNET_INTERPRETER", raising=False)
    monkeypatch.setattr(
        module, "_MODULES", {"ai-edge-litert": "no_such_a", "tflite-runtime": "no_such_b"}
    )
    with pytest.raises(UserError, match="pip install ai-edge-litert"):
        load_interpreter(models.DETECTOR)


@pytest.mark.parametrize("numpy", ["2.0.1", "2.4.6", "10.0.0"])
def test_tflite_runtime_beside_numpy_2_is_explained_before_it_dies(
    numpy: str, monkeypatch: pytest.MonkeyPatch
):
    version = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata, "version", lambda p: "2.14.0" if p == "tflite-runtime" else version(p)
    )
    monkeypatch.setattr(np, "__version__", numpy)
    monkeypatch.setenv("ASMNET_INTERPRETER", "tflite-runtime")
    with pytest.raises(UserError, match=f"tflite-runtime 2.14.0 cannot run beside numpy {numpy}"):
        load_interpreter(models.DETECTOR)


def test_tflite_runtime_beside_numpy_1_is_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(np, "__version__", "1.26.4")
    monkeypatch.setenv("ASMNET_INTERPRETER", "tflite-runtime")
    monkeypatch.setattr(module.importlib, "import_module", lambda name: name)
    assert module._find() == ("tflite-runtime", "tflite_runtime.interpreter")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict:
    """What an interpreter is asked for, which then holds no tensors."""
    asked: dict = {}

    class Interpreter:
        def __init__(self, **options: object) -> None:
            asked.update(options)

        def get_input_details(self) -> list[dict]:
            return [{}]

        def get_output_details(self) -> list[dict]:
            return []

        def allocate_tensors(self) -> None:
            asked["allocated"] = True

    class OpResolverType:
        AUTO, BUILTIN_WITHOUT_DEFAULT_DELEGATES = "XNNPACK", "plain"

    library = SimpleNamespace(Interpreter=Interpreter, OpResolverType=OpResolverType)
    monkeypatch.setattr(module, "_find", lambda: ("ai-edge-litert", library))
    return asked


def test_a_network_runs_in_one_thread_by_xnnpack_unless_told(asked: dict):
    Network(b"....TFL3")
    expected = {
        "model_content": b"....TFL3",
        "num_threads": 1,
        "experimental_preserve_all_tensors": False,
        "experimental_op_resolver_type": "XNNPACK",
        "allocated": True,
    }
    assert asked == expected
    load_interpreter(b"....TFL3")
    assert asked == expected


def test_a_network_runs_as_it_is_told(asked: dict):
    Network(b"....TFL3", threads=3, xnnpack=False, keep_tensors=True)
    assert asked["num_threads"] == 3 and asked["experimental_preserve_all_tensors"] is True
    assert asked["experimental_op_resolver_type"] == "plain"


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ValueError("node 3\n failed"), "node 3 failed"), (RuntimeError(), "no reason given")],
)
def test_a_file_that_the_interpreter_refuses_is_one_sentence(
    asked: dict, error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch
):
    def refuse(interpreter: object) -> None:
        raise error

    _, library = module._find()
    monkeypatch.setattr(library.Interpreter, "allocate_tensors", refuse)
    with pytest.raises(UserError, match=rf"^the given bytes cannot be loaded, .* \({reason}\); "):
        load_interpreter(b"....TFL3")


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_a_file_that_kills_tflite_runtime_is_tried_in_a_process_of_its_own_once(
    asked: dict, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    """That interpreter reads files without checking them."""
    _, library = module._find()
    monkeypatch.setattr(module, "_find", lambda: ("tflite-runtime", library))
    monkeypatch.setattr(module, "_killers", {})
    monkeypatch.setattr(
        module,
        "_TRIAL",
        "import os, sys; content = sys.stdin.buffer.read(); print('noise'); "
        "b'bad' in content and os.kill(os.getpid(), 9); sys.exit(b'refused' in content)",
    )
    trials, run = [], subprocess.run
    monkeypatch.setattr(module.subprocess, "run", lambda *a, **k: trials.append(a) or run(*a, **k))
    for _ in range(2):
        with pytest.raises(UserError, match=r"^the given bytes is corrupt or truncated"):
            load_interpreter(b"....TFL3 bad")
    assert len(trials) == 1 and not asked
    for content in (b"....TFL3 sound", b"....TFL3 refused, but not dead"):
        load_interpreter(content)
    assert len(trials) == 3 and asked["allocated"]
    assert capfd.readouterr() == ("", "")


def test_more_threads_are_no_other_answer():
    square = np.random.default_rng(0).uniform(-1, 1, (1, 128, 128, 3)).astype(np.float32)
    one, two = (Network(models.DETECTOR, threads) for threads in (1, 2))
    for network in (one, two):
        network.run(square)
    np.testing.assert_allclose(one.output("regressors"), two.output("regressors"), atol=1e-3)


def test_inner_tensors_can_be_read_if_they_are_kept():
    square = np.zeros((1, 128, 128, 3), np.float32)
    network = Network(models.DETECTOR, xnnpack=False, keep_tensors=True)
    network.run(square)
    for detail in network.interpreter.get_tensor_details():
        if detail["shape"].size:
            network.interpreter.get_tensor(detail["index"])


def test_the_interpreter_tells_its_version():
    name, version = module.interpreter_version().split(" ")
    assert importlib.metadata.version(name) == version
