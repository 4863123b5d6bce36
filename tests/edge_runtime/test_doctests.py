"""The examples in the docstrings do what they say."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["cameras", "landmarker", "timing", "tracker"])
def test_examples(name: str):
    module = importlib.import_module(f"asmnet.edge_runtime.{name}")
    result = doctest.testmod(module)
    assert result.attempted and not result.failed
