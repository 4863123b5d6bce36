"""Imports go one way, so that each audience installs only its own part."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.package_tree import link_packages

ROOT = Path(__file__).resolve().parents[1]
ROOMS = "cli core data edge_runtime evaluate export label models samples train".split()
# What each room may import besides the standard library and asmnet.
PACKAGES = {
    "cli": {"click", "ray", "rich"},
    "core": {"numpy"},
    "data": {"numpy", "PIL", "scipy"},
    "edge_runtime": {
        *("numpy", "cv2", "click"),
        *("aiohttp", "pyarrow", "pythonosc", "supervision"),
    },
    # tomli before Python 3.11; tensorflow and jax where Keras runs on them: see the contract.
    "train": {"numpy", "click", "keras", "PIL", "matplotlib", "rich", "tomli", "tensorflow", "jax"},
}
# What is imported by name: no import graph sees it.
BY_NAME = {
    "f'asmnet.{room}'",  # api/__init__.py: asmnet's own rooms
    "module",  # cli/groups.py: the modules of commands
    "f'{__name__}.{_MODULES[name]}'",  # edge_runtime/__init__.py: its own modules
    "_MODULES[package]",  # edge_runtime/interpreter.py: ai_edge_litert, tflite_runtime
    "'aiohttp.web'",
    "'picamera2'",
    "'tensorflow_model_optimization'",
    "'tf_keras'",
}
GRAPH = """
import json, grimp
graph = grimp.build_graph("asmnet", include_external_packages=True)
print(json.dumps({m: sorted(graph.find_modules_directly_imported_by(m)) for m in graph.modules}))
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> dict[str, str]:
    """An environment in which the rooms lie under their import names, as linters read them."""
    tree = link_packages(tmp_path_factory.mktemp("packages"))
    return os.environ | {"PYTHONPATH": str(tree)}


@pytest.fixture(scope="module")
def graph(packages) -> dict[str, list[str]]:
    """What each module imports, anywhere in its file."""
    command = [sys.executable, "-c", GRAPH]
    done = subprocess.run(command, env=packages, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_the_contracts_hold(packages):
    """Those of pyproject.toml, as `lint-imports` judges them."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    done = subprocess.run(command, env=packages, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("room", PACKAGES)
def test_a_room_needs_only_its_own_packages(graph, room):
    modules = [m for m in graph if f"{m}.".startswith(f"asmnet.{room}.")]
    imported = {name.split(".")[0] for m in modules for name in graph[m]}
    assert imported - sys.stdlib_module_names - {"asmnet"} <= PACKAGES[room]


@pytest.mark.parametrize("room", ROOMS)
def test_the_graph_sees_every_file_of_a_room(graph, room):
    files = {path.relative_to(ROOT).with_suffix("") for path in (ROOT / room).rglob("*.py")}
    names = {"asmnet." + ".".join(file.parts).removesuffix(".__init__") for file in files}
    assert names == {m for m in graph if f"{m}.".startswith(f"asmnet.{room}.")}


def test_imports_by_name_are_known():
    sources = [path.read_text() for room in ("api", *ROOMS) for path in (ROOT / room).rglob("*.py")]
    calls = [n for text in sources for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)]
    importers = ("import_module", "__import__")
    named = {ast.unparse(c.args[0]) for c in calls if ast.unparse(c.func).endswith(importers)}
    assert named == BY_NAME
