"""Imports go one way, so that each audience installs only its own part."""

import ast
import sys
from pathlib import Path

import grimp
import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("core", "edge_runtime", "train", "export", "models", "samples")
# What each room may import besides the standard library and asmnet.
PACKAGES = {
    "core": {"numpy"},
    "edge_runtime": {"numpy", "cv2", "click", "aiohttp", "pythonosc"},
    "train": {"numpy", "click", "keras", "PIL", "matplotlib", "rich", "scipy"},
}
# What is imported by name: no import graph sees it.
BY_NAME = {
    "f'{__name__}.{_MODULES[name]}'",  # edge_runtime/__init__.py: its own modules
    "_MODULES[package]",  # edge_runtime/interpreter.py: ai_edge_litert, tflite_runtime
    "'aiohttp.web'",
    "'picamera2'",
    "'tensorflow_model_optimization'",
    "'tf_keras'",
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*(f"asmnet.{room}" for room in ROOMS), include_external_packages=True)


def test_the_contracts_hold():
    """Those of pyproject.toml, as `lint-imports` judges them."""
    project = (str(ROOT / "pyproject.toml"),)
    assert lint_imports(config_filenames=project, no_cache=True, no_logo=True) == 0


@pytest.mark.parametrize("room", PACKAGES)
def test_a_room_needs_only_its_own_packages(graph, room):
    modules = {f"asmnet.{room}", *graph.find_descendants(f"asmnet.{room}")}
    imported = {name for m in modules for name in graph.find_modules_directly_imported_by(m)}
    others = {name.split(".")[0] for name in imported} - sys.stdlib_module_names - {"asmnet"}
    assert others <= PACKAGES[room]


@pytest.mark.parametrize("room", ROOMS)
def test_the_graph_sees_every_file_of_a_room(graph, room):
    files = {path.relative_to(ROOT).with_suffix("") for path in (ROOT / room).rglob("*.py")}
    names = {"asmnet." + ".".join(file.parts).removesuffix(".__init__") for file in files}
    assert names == {f"asmnet.{room}", *graph.find_descendants(f"asmnet.{room}")}


def test_imports_by_name_are_known():
    sources = [path.read_text() for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    calls = [n for text in sources for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)]
    importers = ("import_module", "__import__")
    named = {ast.unparse(c.args[0]) for c in calls if ast.unparse(c.func).endswith(importers)}
    assert named == BY_NAME
