"""Shipped models go by name, in every command alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from asmnet import models
from asmnet.core import UserError, read_spec
from asmnet.edge_runtime import Landmarker, bench, webcam


@pytest.mark.parametrize("name", models.shipped())
def test_every_shipped_model_is_complete_and_named_for_what_it_is(name: str) -> None:
    assert Landmarker.load(name).spec == read_spec(models.find(name))
    for kind in (".keras", ".shape.npz", ".json", ".md"):
        assert models.find(name, kind).is_file(), kind
    spec = read_spec(models.find(name))
    assert spec.name == f"{name}-int8"
    assert name.endswith(f"-{spec.points.count}-{spec.size}")
    assert spec.parity["passed"] is True
    assert "unknown" not in spec.license


def test_the_default_is_shipped() -> None:
    assert models.DEFAULT in models.shipped()
    assert models.find() == models.find(models.DEFAULT)


def test_paths_stay_what_they_are() -> None:
    assert models.find("mine.tflite") == Path("mine.tflite")
    assert models.find(Path("runs/mine/best.keras"), ".keras") == Path("runs/mine/best.keras")


def test_neither_name_nor_path() -> None:
    with pytest.raises(UserError, match=f"'asmnet'; choose one of .*{models.DEFAULT}.* path"):
        Landmarker.load("asmnet")


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (webcam.main, ["--model", "asmnet", "--source", "demo", "--headless"]),
        (bench.main, ["--model", models.DEFAULT, "--model", "asmnet"]),
    ],
    ids=["webcam", "bench"],
)
def test_commands_list_the_names(command, arguments: list[str]) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: unknown model 'asmnet'; choose one of")
    described = CliRunner().invoke(command, ["--help"]).stdout
    for name in models.shipped():
        assert name in result.stderr and name in described


def test_bench_takes_names() -> None:
    arguments = ["--model", models.DEFAULT, "--frames", "10"]
    result = CliRunner().invoke(bench.main, arguments)
    assert result.exit_code == 0, result.output
    assert f"\n{models.DEFAULT}  " in result.stdout
