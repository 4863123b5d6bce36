"""Processes that train together: who takes part, and what they must have been given alike."""

from __future__ import annotations

import contextlib

import keras
import numpy as np
import pytest

from asmnet.core import UserError
from asmnet.train.asm_model import use_all_devices
from asmnet.train.processes import VARIABLES, Processes, join


@pytest.fixture
def given(monkeypatch):
    """Sets Keras' three variables; "" stands for one that is not set."""

    def give(*values):
        for name, value in zip(VARIABLES, values, strict=True):
            monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)

    return give


@pytest.fixture
def jax_backend(monkeypatch):
    """Keras as if it ran on JAX."""
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")


def test_without_variables_a_process_trains_alone(given):
    given("", "", "")
    assert join() == Processes(count=1, index=0)


@pytest.mark.parametrize(
    "values",
    [
        ("10.0.0.1:1234", "2", ""),
        ("", "2", "0"),
        ("10.0.0.1", "2", "0"),
        ("10.0.0.1:1234", "two", "0"),
        ("10.0.0.1:1234", "2", "2"),
        ("10.0.0.1:1234", "2", "-1"),
    ],
)
def test_variables_that_make_no_sense_are_named(given, jax_backend, values):
    given(*values)
    with pytest.raises(UserError, match="give all three") as raised:
        join()
    for name, value in zip(VARIABLES, values, strict=True):
        assert f"{name}={value!r}" in str(raised.value)


def test_only_jax_trains_in_several_processes(given, monkeypatch):
    given("10.0.0.1:1234", "2", "0")
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    with pytest.raises(UserError, match="KERAS_BACKEND=jax"):
        join()


def test_the_variables_reach_keras(given, jax_backend, monkeypatch):
    given("10.0.0.1:1234", "3", "2")
    called = []
    monkeypatch.setattr(keras.distribution, "initialize", lambda: called.append(1))
    assert join() == Processes(count=3, index=2) and called == [1]


def test_a_port_in_use_is_one_sentence(given, jax_backend, monkeypatch):
    def initialize():
        raise RuntimeError("UNKNOWN: Failed to start RPC server\nand more")

    given("10.0.0.1:1234", "2", "0")
    monkeypatch.setattr(keras.distribution, "initialize", initialize)
    with pytest.raises(UserError, match=r"10.0.0.1:1234 \(UNKNOWN: .* server\); give a free port"):
        join()


@pytest.mark.parametrize("count", [1, 2, 4])
def test_rows_are_parted_without_rest(count):
    parts = [np.arange(8)[Processes(count, i).rows(8)] for i in range(count)]
    assert [len(part) for part in parts] == [8 // count] * count
    np.testing.assert_array_equal(np.concatenate(parts), np.arange(8))


def agreement(monkeypatch, *everybody):
    """`agree` of the last process, where JAX gathers what the others were given."""
    utils = pytest.importorskip("jax.experimental.multihost_utils", reason="needs jax")
    gathered = []

    def gather(rows):
        gathered.append(rows)
        return np.stack(gathered)

    monkeypatch.setattr(utils, "process_allgather", gather)
    for index, facts in enumerate(everybody[:-1]):
        with contextlib.suppress(UserError):
            Processes(len(everybody), index).agree(facts)
    Processes(len(everybody), len(everybody) - 1).agree(everybody[-1])


def test_processes_with_the_same_command_and_faces_agree(monkeypatch):
    same = {"settings": "a", "faces or labels": "b"}
    agreement(monkeypatch, same, same, dict(same))


def test_a_process_with_other_faces_is_named(monkeypatch):
    same, other = {"settings": "a", "faces": "b"}, {"settings": "a", "faces": "c"}
    with pytest.raises(UserError, match="process 2 has not the same faces as process 0"):
        agreement(monkeypatch, same, same, other)


@pytest.mark.parametrize("status", ["UNKNOWN", "UNAVAILABLE", "DEADLINE_EXCEEDED"])
def test_a_process_that_ended_is_one_sentence(status):
    with pytest.raises(UserError, match=f"({status}: Connection closed).*repeat the command"):
        with Processes(2, 0).told():
            raise ValueError(f"{status}: Connection closed\nand more")


@pytest.mark.parametrize(
    "processes, message",
    [(Processes(), "UNKNOWN: a fault"), (Processes(2, 0), "RESOURCE_EXHAUSTED: no memory")],
)
def test_other_faults_keep_their_traceback(processes, message):
    with pytest.raises(RuntimeError, match=message):
        with processes.told():
            raise RuntimeError(message)


@pytest.fixture
def devices(jax_backend, monkeypatch):
    """The names of two devices, and what they were told to share."""
    names = ["cpu:0", "cpu:1"]
    told = []
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: names)
    monkeypatch.setattr(keras.distribution, "DataParallel", lambda devices, **_: devices)
    monkeypatch.setattr(keras.distribution, "set_distribution", told.append)
    return names, told


def test_devices_of_all_processes_share_a_batch(devices):
    names, told = devices
    assert use_all_devices(32, processes=2) == 2 and told == [names]


def test_devices_that_cannot_share_a_batch_evenly_are_refused(devices):
    _, told = devices
    with pytest.raises(UserError, match="2 devices .* batch of 33 .* --batch, a multiple of 2"):
        use_all_devices(33, processes=2)
    assert told == []
