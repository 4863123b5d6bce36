"""Imports go one way, so that each audience installs only its own part."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DATA = {"asmnet.models", "asmnet.samples"}  # paths of shipped files, no code
ALLOWED = {
    "core": {"asmnet.core"},
    "edge_runtime": {"asmnet.core", "asmnet.edge_runtime"} | DATA,
    "train": {"asmnet.core", "asmnet.train"},
    "export": {"asmnet.core", "asmnet.edge_runtime", "asmnet.train", "asmnet.export"} | DATA,
}
FORBIDDEN = {
    "core": {"cv2", "click", "keras", "tensorflow", "PIL", "matplotlib", "rich"},
    "edge_runtime": {"keras", "tensorflow", "PIL", "matplotlib", "rich"},
    "train": {"cv2", "tensorflow", "jax", "torch"},
    "export": set(),
}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            found |= {f"{base}.{a.name}" if base == "asmnet" else base for a in node.names}
    return found


@pytest.mark.parametrize("layer", ALLOWED)
def test_imports_go_one_way(layer):
    files = sorted((ROOT / layer).glob("*.py"))
    assert files
    for path in files:
        for name in imports(path):
            if name.split(".")[0] == "asmnet":
                assert ".".join(name.split(".")[:2]) in ALLOWED[layer], f"{path.name}: {name}"
            assert name.split(".")[0] not in FORBIDDEN[layer], f"{path.name}: {name}"
