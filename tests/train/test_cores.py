"""Parts of a batch side by side: a step takes less time, and gives the same."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops
from training_parts import RECIPE, make_network

from asmnet.train import cores
from asmnet.train.asm_model import AsmTrainingModel, build
from asmnet.train.cores import in_parts, parts_for


@pytest.mark.parametrize("parts", [2, 4])
def test_a_step_in_parts_learns_the_same(batches, parts):
    moved = []
    for count in (1, parts):
        network = make_network()
        model = AsmTrainingModel(network, RECIPE, assist=True, frozen=True, parts=count)
        model.compile(keras.optimizers.SGD(1e-3))
        build(model, batches)
        before = [ops.convert_to_numpy(w) for w in network.trainable_weights]
        loss = model.train_on_batch(*batches[0])
        after = [ops.convert_to_numpy(w) for w in network.trainable_weights]
        moved.append(
            (loss, np.concatenate([np.ravel(b - a) for a, b in zip(before, after, strict=True)]))
        )
    (one, step), (several, same) = moved
    assert one == pytest.approx(several, rel=1e-5)
    assert np.abs(step).max() > 0
    np.testing.assert_allclose(same, step, atol=1e-4 * np.abs(step).max())


def test_each_part_sees_its_own_rows():
    seen = []

    def answer(inputs):
        seen.append(inputs["x"].shape[0])
        return {"twice": 2 * inputs["x"]}

    found = in_parts(answer, {"x": ops.arange(8)}, 8, 4)
    assert seen == [2, 2, 2, 2]
    assert ops.convert_to_numpy(found["twice"]).tolist() == list(range(0, 16, 2))


# What a fresh process finds, before its first computation and after it.
ASK = """
import keras
from asmnet.train.cores import parts_for
{before}
print(parts_for({batch}), end=" ")
import tensorflow as tf
threading = tf.config.threading
print(threading.get_inter_op_parallelism_threads(), threading.get_intra_op_parallelism_threads())
"""


def asked(batch=32, cores=(0, 1), before="", **environment):
    script = f"import os\nos.sched_getaffinity = lambda _: {set(cores)}\n"
    script += ASK.format(batch=batch, before=before)
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TF_NUM_")}
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env=clean | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.split()


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="its threads")
def test_each_core_gets_a_part_of_eight_faces_or_more():
    assert asked() == ["2", "2", "1"]
    assert asked(cores=range(16)) == ["4", "4", "4"], "32 faces make four parts, of four threads"
    assert asked(batch=30, cores=range(4)) == ["3", "3", "1"], "parts of as many faces each"


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="its threads")
def test_threads_stay_as_they_are():
    assert asked(cores=[1]) == ["1", "0", "0"], "one core"
    assert asked(batch=8) == ["1", "0", "0"], "a batch too small"
    assert asked(TF_NUM_INTRAOP_THREADS="3")[0] == "1", "the user's own"
    assert asked(before="keras.ops.ones(1) + 1") == ["1", "0", "0"], "too late"


def test_other_backends_divide_nothing(monkeypatch):
    monkeypatch.setattr(cores.keras.backend, "backend", lambda: "jax")
    assert parts_for(32) == 1
