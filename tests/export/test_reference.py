"""An exported file can be checked anywhere: it carries the float model's answers."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from asmnet import samples
from asmnet.core import embed_file, embed_spec, embedded_file, read_spec
from asmnet.edge_runtime.parity import shifts
from asmnet.edge_runtime.verify import FACES, REFERENCE, verify
from asmnet.export.cli import main
from asmnet.export.pipeline import Export, ExportJob, export_with, load_job


@pytest.fixture(scope="module")
def job(tiny_file: Path, tmp_path_factory: pytest.TempPathFactory) -> ExportJob:
    """An untrained network and the shipped faces, parted."""
    return load_job(tiny_file, tmp_path_factory.mktemp("reference"), ["int8"], images=64)


@pytest.fixture(scope="module")
def export(job: ExportJob) -> Export:
    return export_with(job, "int8")


@pytest.fixture(scope="module")
def exported(export: Export) -> Path:
    """An int8 file with its reference."""
    return export.file


def test_the_file_proves_itself(job: ExportJob, export: Export) -> None:
    """The same pictures, cut anew: what the gate measured on them."""
    checked = verify(export.file)
    count = len(job.eval_faces.crops)
    assert checked.faces == count == min(FACES, 35)
    judged = [(points[:count], pose[:count]) for points, pose in export.parity.answers]
    measured = {figure.key: figure for figure in checked.metrics}
    for figure in shifts(*judged, export.spec):
        # Another decoder than in the gate: grey levels that are one apart here and there.
        assert measured[figure.key].value == pytest.approx(figure.value, rel=0.1), figure.key
    assert len(embedded_file(export.file, REFERENCE) or b"") < 20_000


def test_the_reference_has_faces_that_did_not_calibrate(job: ExportJob, exported: Path) -> None:
    assert job.calibration is not None
    with np.load(_stream(exported)) as reference:
        names = {str(name) for name in reference["names"]}
    assert names and not names & set(job.calibration.names)
    assert names <= set(job.eval_faces.names)


def test_two_threads_change_nothing(exported: Path) -> None:
    one, two = verify(exported), verify(exported, threads=2)
    assert one.metrics == two.metrics


def test_other_answers_fail(exported: Path, tmp_path: Path) -> None:
    """A file whose numbers are no longer those of its float model exits with 1."""
    other = tmp_path / "other.tflite"
    shutil.copy(exported, other)
    with np.load(_stream(exported)) as reference:
        changed = dict(reference)
    changed["points"] = changed["points"] + np.int16(2000)  # a fifteenth of the crop
    np.savez_compressed(tmp_path / "changed.npz", **changed)
    embed_file(other, REFERENCE, (tmp_path / "changed.npz").read_bytes())
    result = CliRunner().invoke(main, ["verify", str(other)])
    assert result.exit_code == 1
    assert "FAIL" in result.output and "against its float model: 35 faces" in result.output


def test_pictures_of_ones_own(exported: Path, tmp_path: Path, refused) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    one = Path(shutil.copy(samples.CLIP.parent / "sources" / "neutral_094_03.jpg", folder))
    sentence = refused(main, "verify", exported, "--faces", folder)
    assert "35 of the 35 pictures" in sentence
    one.unlink()
    for source in (samples.LONDON, samples.PORTRAITS):
        shutil.copytree(source, folder / source.name)
    assert verify(exported, folder).metrics == verify(exported).metrics


def test_files_without_a_reference_are_refused(exported: Path, tmp_path: Path, refused) -> None:
    plain = tmp_path / "plain.tflite"
    plain.write_bytes(exported.read_bytes()[: exported.read_bytes().index(b"PK\x03\x04")])
    assert "carries no asmnet.json" in refused(main, "verify", plain)
    embed_spec(plain, read_spec(exported))
    assert "carries no proof.npz: export it again" in refused(main, "verify", plain)


def test_a_damaged_reference_is_one_sentence(exported: Path, tmp_path: Path, refused) -> None:
    other = tmp_path / "other.tflite"
    shutil.copy(exported, other)
    embed_file(other, REFERENCE, b"no npz")
    assert "has an unusable proof.npz" in refused(main, "verify", other)
    content = bytearray(exported.read_bytes())
    at = content.index(REFERENCE.encode()) + 200  # inside what was compressed
    content[at : at + 50] = bytes(50)
    other.write_bytes(content)
    sentence = refused(main, "verify", other)
    assert "is damaged" in sentence and "proof.npz" in sentence


def crafted(exported: Path, folder: Path, **changes: object) -> Path:
    """A file whose reference somebody has made."""
    with np.load(_stream(exported)) as reference:
        arrays = {k: v for k, v in {**dict(reference), **changes}.items() if v is not None}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    other = folder / "crafted.tflite"
    shutil.copy(exported, other)
    embed_file(other, REFERENCE, stream.getvalue())
    return other


NAN = np.full((35, 4), np.nan)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"crops": NAN}, "crops that are not finite"),
        ({"crops": np.full((35, 4), 1e300)}, "crops that are not finite, or beyond"),
        ({"crops": np.zeros((35, 4))}, "a crop or a step without a size"),
        ({"crops": np.ones((35, 3))}, "crops of float64"),
        ({"crops": np.ones((34, 4))}, "crops of float64"),
        ({"pose": NAN[:, :3]}, "pose that are not finite"),
        ({"pose": np.array(["x"] * 35)}, "pose of <U1"),
        ({"points": np.zeros((35, 98, 2), np.int16)}, "points of int16"),
        ({"points": np.zeros((35, 68, 2), complex)}, "points of complex128"),
        ({"step": np.float32("nan")}, "step that are not finite"),
        ({"step": np.float32(-1)}, "a crop or a step without a size"),
        ({"step": np.ones(35)}, "step of float64"),
        ({"names": np.array([])}, "names of float64"),
        ({"names": np.array("a")}, "names of <U1"),
        ({"names": np.array([{}] * 35)}, "Object arrays cannot be loaded"),
        ({"pose": None}, "pose is not a file"),
        ({"zeros": np.zeros(2_000_000)}, "unpacks to 16,0.* 1,000,000 are the most"),
    ],
)
def test_a_crafted_reference_is_one_sentence(
    changes: dict, words: str, exported: Path, tmp_path: Path, refused
) -> None:
    sentence = refused(main, "verify", crafted(exported, tmp_path, **changes))
    assert "has an unusable proof.npz" in sentence and re.search(words, sentence), sentence


def test_an_empty_reference_is_one_sentence(exported: Path, tmp_path: Path, refused) -> None:
    none = {"names": np.array([], "U1"), "crops": NAN[:0], "pose": NAN[:0, :3]}
    none["points"] = np.zeros((0, 68, 2), np.int16)
    assert "has an unusable proof.npz" in refused(
        main, "verify", crafted(exported, tmp_path, **none)
    )


def test_two_pictures_of_one_name_are_not_mixed_up(exported: Path, tmp_path: Path, refused) -> None:
    for name in "ab":
        shutil.copytree(samples.LONDON, tmp_path / name)
    assert "have the same name" in refused(main, "verify", exported, "--faces", tmp_path)


def _stream(file: Path) -> io.BytesIO:
    return io.BytesIO(embedded_file(file, REFERENCE) or b"")
