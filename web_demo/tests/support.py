"""What the tests of the web share: paths, programs, a network that remembers."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from asmnet.edge_runtime.interpreter import Network

TESTS = Path(__file__).parent
ROOT = TESTS.parents[1]
RESOURCES = ROOT / "android_demo/core/src/test/resources/org/asmnet/core"
SITE = ROOT / "build/web/site"


def needs(program: str, *others: str) -> str:
    """The program's path; without it the test is skipped, which in CI is a failure."""
    for name in (program, *others):
        if found := shutil.which(name):
            return found
    pytest.skip(f"needs {program} on the PATH")


class Listener:
    """A network that remembers what it was given and what it answered."""

    def __init__(self, network: Network, names: list[str]) -> None:
        self._network, self._names = network, names
        self.name, self.input = network.name, network.input
        self.require, self.output = network.require, network.output
        self.inputs: list[np.ndarray] = []
        self.answers: list[np.ndarray] = []

    def run(self, tensor: np.ndarray) -> None:
        """Run, and remember."""
        self._network.run(tensor)
        self.inputs.append(tensor[0].copy())
        self.answers.append(
            np.concatenate([self._network.output(name).ravel() for name in self._names])
        )
