"""What processes that train together compare before they begin."""

import shutil
from pathlib import Path

import pytest
from training_parts import SIZE

from asmnet.data.jsonl import read_jsonl, write_jsonl
from asmnet.train import fit as module
from asmnet.train.fit import fit
from asmnet.train.processes import Processes


class Compared(Exception):
    """Ends a training once its process knows what the others were given."""


@pytest.fixture
def compared(labels, tmp_path, monkeypatch):
    """What processes compare, from the arguments of `fit`."""

    def agree(processes, facts):
        raise Compared(facts)

    def compare(data=labels[0], run="run", init="a.keras", **options):
        with pytest.raises(Compared) as raised:
            fit(str(data), tmp_path / run, size=SIZE, init=str(tmp_path / init), **options)
        return raised.value.args[0]

    monkeypatch.setattr(Processes, "agree", agree)
    for name in "ab":
        (tmp_path / f"{name}.keras").write_text(name)
    return compare


def test_processes_may_find_the_same_files_elsewhere(compared, labels, tmp_path):
    moved = [str(tmp_path / Path(file).name) for file in labels]
    for file, copy in zip(labels, moved, strict=True):
        write_jsonl(Path(copy), read_jsonl(Path(file)).faces)
    shutil.copy(tmp_path / "a.keras", tmp_path / "c.keras")
    ours = compared(extra=labels[1:])
    assert ours == compared(data=moved[0], extra=moved[1:], init="c.keras", run="elsewhere")


@pytest.mark.parametrize(
    "other, name",
    [
        ({"seed": 1}, "settings"),
        ({"rate": 0.5}, "settings"),
        ({"batch": 64}, "settings"),
        ({"init": "b.keras"}, "initial weights"),
    ],
)
def test_processes_compare_settings_and_weights(compared, other, name):
    assert compared()[name] != compared(**other)[name]


def test_processes_compare_weights_that_are_no_file(compared):
    ours, theirs = compared(init="none"), compared(init="imagenet")
    assert [name for name in ours if ours[name] != theirs[name]] == ["initial weights"]


def test_processes_compare_labels(compared, labels):
    ours, theirs = compared(), compared(data=labels[1])
    assert [name for name in ours if ours[name] != theirs[name]] == ["faces or labels"]


@pytest.mark.parametrize("file", ["state.npz", "log.csv"])
def test_processes_compare_what_they_go_on_from(compared, tmp_path, monkeypatch, file):
    before = compared()
    monkeypatch.setattr(module, "check_run", lambda run, settings: True)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / file).write_text("1")
    after = compared()
    assert [name for name in before if before[name] != after[name]] == ["run folder"]
