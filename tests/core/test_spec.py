"""The contract inside the model file."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from asmnet.core import ModelSpec, UserError, embed_file, embed_spec, read_spec
from asmnet.models import DETECTOR

# The cases are Java's too.
RESOURCES = Path(__file__).parents[2] / "android_demo/core/src/test/resources/org/asmnet/core"

SPEC = ModelSpec("m", "1", "ibug68", 224, "a", "b", quantization={"recipe": "int8"}, license="x")


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "m.tflite"
    # The detector's file ends in an empty zip archive of its own: 22 bytes.
    path.write_bytes(DETECTOR.read_bytes()[:-22])
    return path


def test_json_round_trip():
    assert ModelSpec.from_json(SPEC.to_json()) == SPEC


def test_the_contract_as_written_is_what_the_schema_says():
    """Readers in other languages know these keys; `unzip -p FILE asmnet.json` shows lines."""
    text = SPEC.to_json()
    assert json.loads(text) == {
        "schema": "asmnet/1",
        "name": "m",
        "version": "1",
        "scheme": "ibug68",
        "input": {"size": 224, "color": "RGB", "mean": 127.5, "std": 127.5},
        "crop": {"margin": 1.25},
        "outputs": {
            "landmarks": {"tensor": "a", "units": "crop"},
            "pose": {"tensor": "b", "order": ["yaw", "pitch", "roll"], "units": "deg"},
        },
        "quantization": {"recipe": "int8"},
        "parity": {},
        "evaluation": {},
        "training": {},
        "license": "x",
    }
    assert len(text.splitlines()) > 20


def test_an_empty_archive_at_the_end_is_replaced(tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(DETECTOR.read_bytes())
    embed_spec(path, SPEC)
    assert read_spec(path) == SPEC
    assert path.read_bytes().startswith(DETECTOR.read_bytes()[:-22])


def test_embedding_keeps_the_flatbuffer_and_replaces_an_older_contract(model):
    before = model.read_bytes()
    embed_spec(model, SPEC)
    once = model.read_bytes()
    embed_spec(model, SPEC.replace(name="other"))
    assert model.read_bytes().startswith(before)
    assert read_spec(model).name == "other"
    embed_spec(model, SPEC)
    assert model.read_bytes() == once, "the same contract gives the same file"
    with zipfile.ZipFile(model) as archive:
        assert archive.namelist() == ["asmnet.json"]


CASES = json.loads((RESOURCES / "contracts.json").read_text())


@pytest.mark.parametrize("case", CASES["accepted"], ids=str)
def test_contracts_at_the_limits_are_accepted(case):
    ModelSpec.from_json(changed(case))


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: str(case)[:60])
def test_bad_contracts_are_named(model, case):
    *change, complaint = case
    with zipfile.ZipFile(model, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("asmnet.json", changed(change))
    with pytest.raises(UserError, match=complaint or None) as told:
        read_spec(model)
    sentence = str(told.value)
    assert sentence.startswith(f"{model} has an unusable asmnet.json: ") and "\n" not in sentence
    assert sentence.count("again") == 1 and len(sentence) < 400


def changed(change: list[str]) -> str:
    """The text of the cases' contract with some text in place of another."""
    old, new, *times = change
    text = CASES["contract"]
    assert text.count(old) == 1
    return text.replace(old, new * (times[0] if times else 1))


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"margin": float("nan")}, "margin nan is not between 1 and 4"),
        ({"margin": 1e300}, r"margin 1e\+300 is not between 1 and 4"),
        ({"std": float("inf")}, "std inf"),
        ({"mean": True}, "mean 'True' is no number"),
        ({"input_size": 224.5}, "input_size 224.5 is no whole number"),
        ({"name": "two\nlines"}, "name .* control characters"),
        ({"name": "x" * 501}, "name .* too long"),
        ({"license": None}, "license None is no text"),
        ({"training": []}, "training is no object"),
        ({"scheme": "dots"}, "scheme 'dots' is none of ibug68, wflw98"),
    ],
)
def test_a_contract_is_checked_however_it_is_made(change, complaint):
    with pytest.raises(UserError, match=complaint):
        SPEC.replace(**change)


def test_a_contract_of_another_schema_is_named():
    with pytest.raises(ValueError, match=r"schema 'asmnet/9' is not 'asmnet/1'"):
        ModelSpec.from_json(SPEC.to_json().replace("asmnet/1", "asmnet/9"))


def test_a_contract_may_say_nothing_of_provenance_and_licence():
    document = json.loads(SPEC.to_json())
    for key in ("quantization", "parity", "evaluation", "training", "license"):
        del document[key]
    assert ModelSpec.from_json(json.dumps(document)) == SPEC.replace(quantization={}, license="")


def test_a_figure_that_is_no_number_is_null_in_the_file():
    spec = SPEC.replace(parity={"shift": [float("nan"), 0.5]})
    assert ModelSpec.from_json(spec.to_json()).parity == {"shift": [None, 0.5]}


def test_a_changed_network_is_told_once(model):
    embed_spec(model, SPEC)
    content = bytearray(model.read_bytes())
    content[1000] ^= 1
    model.write_bytes(content)
    with pytest.raises(UserError) as told:
        read_spec(model)
    assert str(told.value) == f"{model} is damaged (its SHA-256 differs); get or export it again"


def test_a_contract_without_a_sum_is_accepted(model):
    """Those of version 0.1.0 had none."""
    with zipfile.ZipFile(model, "a") as archive:
        archive.writestr("asmnet.json", SPEC.to_json())
    assert read_spec(model) == SPEC


def test_a_huge_contract_is_not_read(model):
    embed_file(model, "asmnet.json", b" " * (1 << 20) + SPEC.to_json().encode())
    with pytest.raises(UserError, match="asmnet.json of .* bytes, at most 1048576 are read"):
        read_spec(model)


def test_foreign_missing_and_truncated_files(model, tmp_path):
    with pytest.raises(UserError, match="carries no asmnet.json"):
        read_spec(model)
    embed_spec(model, SPEC)
    for keep in (0, 6, 1000, model.stat().st_size - 30):
        cut = tmp_path / "cut.tflite"
        cut.write_bytes(model.read_bytes()[:keep])
        with pytest.raises(UserError, match="truncated"):
            read_spec(cut)
    with pytest.raises(UserError, match="cannot read"):
        read_spec(tmp_path / "absent.tflite")


def test_core_needs_numpy_only():
    code = (
        "import sys, asmnet.core; heavy = {'cv2', 'keras', 'tensorflow', 'PIL', 'click'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
