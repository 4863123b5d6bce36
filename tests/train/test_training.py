"""`asmnet-train` as its users run it: whole runs, kills, other backends, bad input."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from asmnet.data.datasets import read_300w
from asmnet.data.jsonl import write_jsonl
from asmnet.train.cli import train
from asmnet.train.split import gather

SMALL = ["--size", "32", "--init", "none", "--epochs", "4"]


def command(data, run, *extra):
    code = "from asmnet.train.cli import train; train()"
    return [sys.executable, "-c", code, "--data", str(data), "--run", str(run), *SMALL, *extra]


def rows(run):
    with (run / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def finish(arguments, **environment):
    done = subprocess.run(
        arguments, capture_output=True, text=True, env=os.environ | environment, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def finish_here(data, run, *extra):
    """The command in this process, which has TensorFlow already."""
    result = CliRunner().invoke(train, ["--data", str(data), "--run", str(run), *SMALL, *extra])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def whole_run(labelled_faces, tmp_path_factory):
    """One run from start to end, shared by the tests that look at what it left."""
    run = tmp_path_factory.mktemp("runs") / "whole[1]"  # brackets are rich's markup
    finish_here(labelled_faces, run)
    return run


def test_a_run_leaves_everything(whole_run):
    names = {path.name for path in whole_run.iterdir()}
    assert names >= {"run.json", "log.csv", "curves.png", "best.keras", "last.keras"}
    assert names >= {"shape.npz", "state.npz", "tensorboard"}
    config = json.loads((whole_run / "run.json").read_text())
    assert config["seed"] == 0 and config["epochs"] == 4 and config["loss"] == "asm"
    # Four epochs, and one row for the re-estimated batch-norm statistics.
    assert [row["epoch"] for row in rows(whole_run)] == ["0", "1", "2", "3", "4"]
    assert any((whole_run / "tensorboard").rglob("events*"))


def test_saved_networks_answer_where_the_labels_are(labelled_faces, whole_run):
    """Though mirrored pictures teach that points lie as far to the left as to the right."""
    from asmnet.train.label_offset import LabelOffset

    learning = gather(str(labelled_faces), [], 0.1, 0, False).learning
    for name in ("best.keras", "last.keras"):
        network = keras.saving.load_model(whole_run / name, compile=False)
        assert LabelOffset(network, learning, 1.25).measure() == pytest.approx(0, abs=1e-5)


def test_a_killed_run_goes_on_where_it_was(labelled_faces, whole_run, tmp_path):
    run = tmp_path / "killed"
    process = subprocess.Popen(command(labelled_faces, run), stdout=subprocess.DEVNULL)
    while not (run / "log.csv").exists() or len(rows(run)) < 2:
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert "resumed" in finish_here(labelled_faces, run)
    losses = [float(row["loss"]) for row in rows(run)[:4]]
    uninterrupted = [float(row["loss"]) for row in rows(whole_run)[:4]]
    # The same batches in the same order from the same state, up to rounding.
    np.testing.assert_allclose(losses, uninterrupted, rtol=0.05)
    assert [row["epoch"] for row in rows(run)] == ["0", "1", "2", "3", "4"]


def test_a_finished_run_is_left_alone(labelled_faces, whole_run):
    before = (whole_run / "best.keras").stat().st_mtime_ns
    output = finish_here(labelled_faces, whole_run)
    assert "validation NME" in output and str(whole_run / "best.keras") in output
    assert (whole_run / "best.keras").stat().st_mtime_ns == before


def test_the_spatial_network_starts_as_the_asmnet_it_contains(labelled_faces, whole_run):
    from asmnet.train.recipes import RECIPES
    from asmnet.train.warm_start import initialise

    source = whole_run / "best.keras"
    given = keras.saving.load_model(source, compile=False)
    wide, copied = initialise("asmnet_spatial", "ibug68", 32, str(source), RECIPES["modern"])
    image = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    for name, answer in given(image).items():
        np.testing.assert_allclose(wide(image)[name], answer, atol=1e-4)
    assert {"landmarks", "pose"} <= copied


def test_learning_from_extra_labels_with_another_fusion(labelled_faces, whole_run, tmp_path):
    labels = tmp_path / "more.jsonl"
    write_jsonl(labels, read_300w(labelled_faces).faces[:40])
    run = tmp_path / "spatial"
    choices = ["--arch", "asmnet_spatial", "--norm", "frozen", "--epochs", "2", "--init"]
    choices += [str(whole_run / "best.keras"), "--extra", str(labels)]
    output = finish_here(labelled_faces, run, *choices)
    faces = gather(str(labelled_faces), [], 0.1, 0, False)
    apart = {face.image.name for face in faces.held_out}
    also = [face for face in read_300w(labelled_faces).faces[:40] if face.image.name not in apart]
    assert len(also) < 40, "some of the 40 are held out, and not learned from"
    assert f"{len(faces.learning) + len(also)} faces to learn from" in output.replace("\n", " ")
    assert json.loads((run / "run.json").read_text())["extra"] == [str(labels)]
    assert [row["epoch"] for row in rows(run)] == ["0", "1"], "frozen statistics stay"
    # Not worse than where it started.
    assert float(rows(run)[-1]["val_nme"]) < float(rows(whole_run)[-1]["val_nme"]) + 2


def test_98_points_at_another_size_start_on_a_trunk_trained_for_68(
    labelled_faces, whole_run, tmp_path, rng
):
    labels = tmp_path / "wide.jsonl"
    faces = []
    for face in read_300w(labelled_faces).faces:
        more = face.points[rng.integers(0, 68, 30)]
        faces.append(replace(face, points=np.concatenate([face.points, more])))
    write_jsonl(labels, faces)
    run = tmp_path / "wide"
    init = ["--norm", "frozen", "--epochs", "1", "--init", str(whole_run / "best.keras")]
    finish_here(labels, run, *init, "--size", "48")
    assert keras.saving.load_model(run / "best.keras").output["landmarks"].shape == (None, 196)


def test_the_papers_recipe_and_peer_without_the_asm_term(labelled_faces, tmp_path):
    run = tmp_path / "paper"
    choices = ["--recipe", "paper", "--arch", "mobilenetv2", "--loss", "mse", "--epochs", "1"]
    assert "2.436 M parameters" in finish_here(labelled_faces, run, *choices)
    assert float(rows(run)[0]["loss"]) < 10, "squared crop units, not Wing's pixels"


# Hides TensorFlow, as if it were not installed.
NO_TENSORFLOW = """
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = classmethod(
    lambda _, name, *rest: None if name.split(".")[0] == "tensorflow" else find(name, *rest)
)
"""


def under_jax(data, run, *extra, before=""):
    """The command for JAX, where TensorFlow is not installed."""
    pytest.importorskip("jax", reason="needs jax, which the extra dev brings from Python 3.11 on")
    python, option, code, *rest = command(data, run, *extra)
    return [python, option, NO_TENSORFLOW + before + code, *rest]


def test_two_devices_under_jax_without_tensorflow(labelled_faces, tmp_path):
    output = finish(
        under_jax(labelled_faces, tmp_path / "jax", "--epochs", "1"),
        KERAS_BACKEND="jax",
        XLA_FLAGS="--xla_force_host_platform_device_count=2",
    )
    assert "jax, 2 device(s)" in output
    assert float(rows(tmp_path / "jax")[0]["loss"]) > 0


# In place of the real one, which takes a minute to compile.
SMALL_NETWORK = """
import keras
from asmnet.train import fit

def network(*_):
    image = keras.Input((32, 32, 3))
    x = image
    for norm in ("first", "second"):
        x = keras.layers.Conv2D(8, 3, strides=4, use_bias=False)(x)
        x = keras.layers.BatchNormalization(name=norm)(x)
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    heads = {n: keras.layers.Dense(c, name=n)(x) for n, c in {"landmarks": 136, "pose": 3}.items()}
    return keras.Model(image, heads), set()

fit.initialise = network
"""


def test_two_processes_learn_what_one_does(labelled_faces, tmp_path):
    """Half of each batch in each, as if on two machines: only the first has the run folder."""
    alone, together, unused = (tmp_path / name for name in ("alone", "together", "unused"))

    def arguments(run):
        return under_jax(labelled_faces, run, "--batch", "16", before=SMALL_NETWORK)

    finish(arguments(alone), KERAS_BACKEND="jax")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    environment = os.environ | dict(KERAS_BACKEND="jax", KERAS_DISTRIBUTION_JOB_ADDRESSES=address)
    processes = [
        subprocess.Popen(
            arguments(run),
            env=environment
            | dict(KERAS_DISTRIBUTION_NUM_PROCESSES="2", KERAS_DISTRIBUTION_PROCESS_ID=str(index)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for index, run in enumerate((together, unused))
    ]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(outputs)
    assert "2 device(s) of 2 processes" in outputs[0]
    assert not unused.exists(), "one process writes"
    for ours, theirs in zip(rows(together), rows(alone), strict=True):
        assert ours.keys() == theirs.keys()
        for key in ours:
            np.testing.assert_allclose(*(float(r[key] or 0) for r in (ours, theirs)), rtol=1e-4)


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (["--data", "300w:/nowhere"], "/nowhere is not a folder"),
        (["--data", "{faces}", "--init", "absent.keras"], "cannot start from absent.keras"),
        (["--data", "{faces}", "--init", "absent.h5"], "'absent.h5'"),
        (["--data", "{faces}", "--init", "{damaged}"], "cannot start from"),
        (["--data", "{faces}", "--extra", "absent.jsonl"], "cannot read labels absent.jsonl"),
        (["--data", "absent.jsonl"], "cannot read labels absent.jsonl"),
        (["--data", "{faces}", "--size", "100"], "input size 100"),
        (["--data", "{faces}", "--size", "7"], "Invalid value for '--size'"),
        (["--data", "{faces}", "--recipe", "best"], "'best' is not one of"),
    ],
)
def test_bad_input_is_one_sentence(labelled_faces, tmp_path, arguments, complaint):
    damaged = tmp_path / "damaged.keras"
    damaged.write_bytes(b"PK no archive")
    arguments = [a.format(faces=labelled_faces, damaged=damaged) for a in arguments]
    result = CliRunner().invoke(train, [*arguments, "--run", str(tmp_path / "run")])
    assert result.exit_code == 2
    assert complaint in result.output.replace("\n", " ")
    assert "Traceback" not in result.output
    assert not list((tmp_path / "run").glob("*.keras")), "nothing half-written"


def test_a_folder_of_another_run_is_refused(labelled_faces, whole_run, tmp_path):
    other = ["--data", str(labelled_faces), "--run", str(whole_run), *SMALL, "--seed", "1"]
    result = CliRunner().invoke(train, other)
    assert result.exit_code == 2 and "seed = 0, not 1" in result.output.replace("\n", " ")
    (tmp_path / "notes.txt").write_text("mine")
    full = ["--data", str(labelled_faces), "--run", str(tmp_path), *SMALL]
    result = CliRunner().invoke(train, full)
    assert result.exit_code == 2 and "no run.json" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
