"""One training shared by several processes, on one machine or more.

Each process reads all faces and draws the same batches, and computes its own rows of each; JAX
adds up gradients and batch statistics over all of them.  So the weights stay the same everywhere,
and one process, the first, writes them.

Keras' own variables say who takes part: KERAS_DISTRIBUTION_JOB_ADDRESSES (HOST:PORT of the first
process), KERAS_DISTRIBUTION_NUM_PROCESSES and KERAS_DISTRIBUTION_PROCESS_ID (from 0).

This file alone imports JAX: Keras has no way to compare what the processes were given.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import keras
import numpy as np

from asmnet.core import UserError

__all__ = ["Processes", "join"]

VARIABLES = tuple(
    f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")
)
# How JAX begins to say that a process is gone: XLA's status codes.
_LOST = re.compile("(ABORTED|CANCELLED|DEADLINE_EXCEEDED|UNAVAILABLE|UNKNOWN): ")


@dataclass(frozen=True)
class Processes:
    """Who takes part in a training.

    Attributes:
        count: how many processes.
        index: of this one, from 0; the first writes.
    """

    count: int = 1
    index: int = 0

    def rows(self, batch: int) -> slice:
        """Which rows of a batch are this process', of as many as all have devices or more."""
        share = batch // self.count
        return slice(self.index * share, (self.index + 1) * share)

    def agree(self, facts: Mapping[str, str]) -> None:
        """Check that all processes were given the same.

        Args:
            facts: what must be the same, by name; the names are the same everywhere.

        Raises:
            UserError: something differs.  Every process raises it.
        """
        if self.count == 1:
            return
        import jax
        from jax.experimental import multihost_utils

        facts = {"number of devices": str(jax.local_device_count()), **facts}
        own = [hashlib.sha256(fact.encode()).digest() for fact in facts.values()]
        rows = np.frombuffer(b"".join(own), np.uint32).reshape(len(facts), -1)
        everywhere = multihost_utils.process_allgather(rows)
        for name, values in zip(facts, np.swapaxes(everywhere, 0, 1), strict=True):
            others = np.flatnonzero((values != values[0]).any(axis=1))
            if len(others):
                raise UserError(
                    f"process {others[0]} has not the same {name} as process 0; give all "
                    "processes the same command, data and run folder"
                )

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Tell in one sentence that another process has ended; JAX ends this one after it.

        Raises:
            UserError: JAX cannot reach another process any more.
        """
        try:
            yield
        except (RuntimeError, ValueError) as error:
            if self.count == 1 or not _LOST.match(str(error)):
                raise
            raise UserError(
                f"another of the {self.count} processes has ended or cannot be reached "
                f"({str(error).splitlines()[0]}); repeat the command everywhere to go on from the "
                "last whole epoch"
            ) from error


def join() -> Processes:
    """Take part in the training that Keras' variables describe; without them, train alone.

    Waits until all processes are there; after five minutes without them, JAX ends the process.
    To be called before the first computation.

    Raises:
        UserError: the variables make no sense, Keras does not run on JAX, or it cannot listen.
    """
    address, *numbers = (os.environ.get(name, "") for name in VARIABLES)
    if not any((address, *numbers)):
        return Processes()
    try:
        count, index = map(int, numbers)
    except ValueError:
        count = index = -1
    if not (re.fullmatch(r"\S+:\d+(,\S+)?", address) and 0 <= index < count):
        given = ", ".join(f"{name}={os.environ.get(name, '')!r}" for name in VARIABLES)
        raise UserError(
            f"{given}: give all three, HOST:PORT of process 0, how many processes there are, and "
            "which one this is, from 0"
        )
    if keras.backend.backend() != "jax":
        raise UserError("several processes train together on JAX only; set KERAS_BACKEND=jax")
    print(f"process {index}: waiting for all {count} at {address}", flush=True)
    try:
        keras.distribution.initialize()
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"process {index} cannot train at {address} ({reason}); give a free port on the host "
            "of process 0, and each process another number"
        ) from error
    return Processes(count, index)
