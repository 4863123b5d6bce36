"""The contract inside the model file, and files that are whole or absent."""

import json
import subprocess
import sys
import zipfile

import pytest

from asmnet.core import ModelSpec, UserError, atomic_path, embed_spec, read_spec
from asmnet.models import DETECTOR

SPEC = ModelSpec("m", "1", "ibug68", 224, "a", "b", quantization={"recipe": "int8"}, license="x")


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "m.tflite"
    # The detector's file ends in an empty zip archive of its own: 22 bytes.
    path.write_bytes(DETECTOR.read_bytes()[:-22])
    return path


def test_json_round_trip():
    assert ModelSpec.from_json(SPEC.to_json()) == SPEC
    assert json.loads(SPEC.to_json())["schema"] == "asmnet/1"


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


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"schema": "asmnet/9"}, "asmnet/9"),
        ({"scheme": "dots"}, "dots"),
        ({"crop": {}}, "margin"),
        ({"input": {"size": 0, "color": "RGB", "mean": 0, "std": 1}}, "size"),
        ({"input": {"size": 9, "color": "BGR", "mean": 0, "std": 1}}, "BGR"),
        ({"outputs": None}, "type"),
    ],
)
def test_bad_contracts_are_named(model, change, complaint):
    document = json.loads(SPEC.to_json()) | change
    with zipfile.ZipFile(model, "a") as archive:
        archive.writestr("asmnet.json", json.dumps(document))
    with pytest.raises(UserError, match=complaint):
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


def test_atomic_path_leaves_the_old_file_when_the_writer_fails(tmp_path):
    target = tmp_path / "new" / "file.weights.h5"
    with atomic_path(target) as temporary:
        assert temporary.name.endswith(".weights.h5")
        temporary.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(target.parent.iterdir()) == [target]


def test_unwritable_targets_are_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"), atomic_path(tmp_path / "file" / "x"):
        pass


def test_core_needs_numpy_only():
    code = (
        "import sys, asmnet.core; heavy = {'cv2', 'keras', 'tensorflow', 'PIL', 'click'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
