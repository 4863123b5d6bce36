"""Plans of stages: every stage once, in order, and the shipped plan from start to end."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import keras
import pytest
from click.testing import CliRunner

from asmnet import samples
from asmnet.core import UserError
from asmnet.edge_runtime import FaceDetector
from asmnet.train.cli import stages
from asmnet.train.stages import SHIPPED, Plan, finished_part, read_plan, run_stages

WORKS, FAILS = "train --help", "verify {faces}"
PLAN = f"""
[inputs]
faces = "pictures of faces"
other = "more of them"
[stages]
first = "{WORKS}"
second = "{WORKS} # {{first}}"
aside = "{FAILS}"
third = "{WORKS} # {{second}}"
"""


def plan_of(folder, text=PLAN):
    (folder / "plan.toml").write_text(text)
    return read_plan(str(folder / "plan.toml"))


def test_only_what_leads_to_the_target_runs(tmp_path):
    plan = plan_of(tmp_path)
    assert plan.needed("third") == ["first", "second", "third"]
    assert run_stages(plan, tmp_path / "run", {}, "third") == tmp_path / "run" / "third"


def test_a_finished_stage_is_not_run_again(tmp_path, capfd):
    plan = plan_of(tmp_path)
    run_stages(plan, tmp_path / "run", {}, "first")
    assert "Usage" in capfd.readouterr().out
    run_stages(plan, tmp_path / "run", {}, "first")
    assert "Usage" not in capfd.readouterr().out


def test_a_failed_stage_ends_the_plan_and_is_run_again(tmp_path, capfd):
    plan, inputs = plan_of(tmp_path), {"faces": str(tmp_path / "none.tflite")}
    for _ in range(2):
        with pytest.raises(UserError, match="stage aside failed with exit code 2"):
            run_stages(plan, tmp_path / "run", inputs)
        assert "none.tflite" in capfd.readouterr().err
    finished = json.loads((tmp_path / "run" / "stages.json").read_text())["stages"]
    assert list(finished) == ["first", "second"]


def test_a_stage_that_was_made_by_another_command_is_refused(tmp_path):
    run_stages(plan_of(tmp_path), tmp_path / "run", {}, "first")
    changed = plan_of(tmp_path, PLAN.replace(WORKS, "train --version"))
    with pytest.raises(UserError, match="made by another command"):
        run_stages(changed, tmp_path / "run", {}, "first")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["nowhere"], "no plan nowhere; give a .toml file, or one of shipped"),
        (["nowhere.toml"], "no plan nowhere.toml"),
        (["shipped", "nothing"], "no stage 'nothing'"),
        (["shipped", "bulk"], "give --input 300w=...: 300-W"),
        (["shipped", "--input", "300w"], "give NAME=PATH"),
    ],
)
def test_what_is_missing_is_told(tmp_path, arguments, message):
    result = CliRunner().invoke(stages, [*arguments, "--run", str(tmp_path / "run")])
    assert result.exit_code == 2 and message in result.output


@pytest.mark.parametrize(
    "text, message",
    [
        ("[inputs]\n", "needs"),
        ("[inputs]\n[stages]\na = 'train {b}'\nb = 'train'", "stage 'a' uses {b}"),
        ("[inputs]\n[stages]\na = 3", "stage 'a' must be a command under a name of its own"),
        ("[inputs]\na = 'x'\n[stages]\na = 'train'", "must be a command under a name of its own"),
        ("[inputs]\n[stages]\nout = 'train'", "must be a command under a name of its own"),
        ("[inputs]\n[stages]\n'a/b' = 'train'", "must be a command under a name of its own"),
        ("not toml", "cannot read"),
    ],
)
def test_a_plan_that_cannot_run_is_refused(tmp_path, text, message):
    with pytest.raises(UserError, match=re.escape(message)):
        plan_of(tmp_path, text)


@pytest.fixture
def commands(monkeypatch):
    """What would have been run; it all succeeds."""
    ran = []

    def run(command):
        ran.append(command[3:])
        assert command[:3] == [sys.executable, "-m", "asmnet"]
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return ran


TWO = """
[inputs]
faces = "pictures of faces"
more = "others"
[stages]
"wild.jsonl" = "label {faces} --out {out}"
net = "train --data '{wild.jsonl}' --run {out}"
"""


def test_a_command_gets_paths_as_whole_words(tmp_path, commands, monkeypatch):
    """Of a run folder whose name is relative and has a space, in a new folder, too."""
    monkeypatch.chdir(tmp_path)
    plan = plan_of(tmp_path, TWO)
    last = run_stages(plan, Path("new/my run"), {"faces": "my faces"})
    labels = str(tmp_path / "new/my run/wild.jsonl")
    assert commands == [
        ["label", "my faces", "--out", labels],
        ["train", "--data", labels, "--run", str(last)],
    ]
    assert last == tmp_path / "new/my run/net"


def test_the_record_is_the_plan_as_far_as_it_is_finished(tmp_path, commands):
    plan = plan_of(tmp_path, TWO)
    assert finished_part(tmp_path / "run") == Plan("", {}, {})
    run_stages(plan, tmp_path / "run", {"faces": "a"}, "wild.jsonl")
    assert finished_part(tmp_path / "run") == Plan(
        "plan", {}, {"wild.jsonl": plan.stages["wild.jsonl"]}
    )
    run_stages(plan, tmp_path / "run", {"faces": "a"})
    assert [words[0] for words in commands] == ["label", "train"]
    assert finished_part(tmp_path / "run").stages == plan.stages


def test_people_can_read_the_record(tmp_path, commands):
    run_stages(plan_of(tmp_path, TWO), tmp_path / "run", {"faces": "a"}, "wild.jsonl")
    lines = (tmp_path / "run/stages.json").read_text().splitlines()
    assert '    "wild.jsonl": "label {faces} --out {out}"' in lines, "a stage a line"


def test_each_stage_is_announced_with_its_command(tmp_path, commands, capsys):
    run_stages(plan_of(tmp_path, TWO), tmp_path / "run", {"faces": "my [faces]"})
    told = capsys.readouterr().out
    assert "1/2  wild.jsonl" in told and "2/2  net" in told
    out = tmp_path / "run/wild.jsonl"
    assert f"\nasmnet label 'my [faces]' --out {out}\n" in told, "one line, however long"


def test_an_input_that_the_plan_does_not_have_is_named(tmp_path, commands):
    with pytest.raises(UserError, match="plan has no input 'face'; it has faces, more"):
        run_stages(plan_of(tmp_path, TWO), tmp_path / "run", {"faces": "a", "face": "b"})
    assert commands == [] and not (tmp_path / "run").exists()


def test_a_run_folder_that_cannot_be_made_is_named(tmp_path, commands):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*file.*; choose a new --run"):
        run_stages(plan_of(tmp_path, TWO), tmp_path / "file" / "run", {"faces": "a"})


@pytest.mark.parametrize("record", ["{", "[]", '{"plan": "a"}', '{"plan": "a", "stages": 3}'])
def test_a_damaged_record_is_named(tmp_path, commands, record):
    (tmp_path / "stages.json").write_text(record)
    with pytest.raises(UserError, match=r"stages\.json is damaged .*remove it to begin again"):
        run_stages(plan_of(tmp_path, TWO), tmp_path, {"faces": "a"})


@pytest.fixture
def frontal_faces(label_samples, tmp_path):
    """Shipped studio faces, which look straight ahead: labelled ones, and others in boxes."""
    labelled = shutil.copytree(label_samples(12), tmp_path / "labelled")
    names = [path.relative_to(labelled).as_posix() for path in sorted(labelled.rglob("*.jpg"))]
    rows = ["image,yaw_deg,pitch_deg,roll_deg", *(f"{name},0,0,0" for name in names)]
    (labelled / "head_pose.csv").write_text("\n".join(rows))
    boxed, detector, rows = tmp_path / "boxed", FaceDetector.load(), ["file,x,y,w,h,yaw,pitch,roll"]
    boxed.mkdir()
    for path in sorted(samples.LONDON.glob("*.jpg"))[-9:]:
        shutil.copy(path, boxed)
        square = detector.detect(cv2.imread(str(path)))[0].to_crop(1.0)
        x, y = square.cx - square.side / 2, square.cy - square.side / 2
        rows.append(f"{path.name},{x},{y},{square.side},{square.side},0,0,0")
    (boxed / "faces.csv").write_text("\n".join(rows))
    return labelled, boxed


@pytest.mark.slow
@pytest.mark.timeout(900)  # 13 commands, each a process that imports TensorFlow
def test_the_shipped_plan_makes_networks_from_start_to_end(frontal_faces, research_data, tmp_path):
    """All stages, at 32 pixels, for one short epoch each."""
    text = (SHIPPED / "shipped.toml").read_text()
    text = re.sub(r"--size \d+", "--size 32", text)
    text = re.sub(r"--epochs \d+", "--epochs 1 --epoch-faces 32 --validation 0.2", text)
    labelled, boxed = map(str, frontal_faces)
    inputs = {"300w": labelled, "wild": boxed, "utkface": boxed, "imagenet": "none"}
    inputs["teachers"] = str(research_data.parent / "teachers")
    last = run_stages(plan_of(tmp_path, text), tmp_path / "run", inputs)
    network = keras.saving.load_model(last / "best.keras", compile=False)
    assert network.input_shape == (None, 32, 32, 3)
