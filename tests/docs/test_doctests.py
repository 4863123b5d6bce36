"""The examples in the docstrings do what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for room in "cli core data edge_runtime evaluate export label train".split()
    for path in sorted((ROOT / room).rglob("*.py"))
    if ">>> " in path.read_text()
]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name: str):
    module = importlib.import_module(f"asmnet.{name}")
    result = doctest.testmod(module)
    assert result.attempted and not result.failed
