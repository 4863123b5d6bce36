"""An exported file can be checked anywhere: it carries the float model's answers."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from asmnet import samples
from asmnet.core import embed_file, embed_spec, embedded_file, read_spec
from asmnet.export.cli import main
from asmnet.export.exporting import Job, make, open_job
from asmnet.export.proof import FACES, PROOF, verify


@pytest.fixture(scope="module")
def exported(tiny_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An int8 file of an untrained network, with its proof."""
    job: Job = open_job(tiny_file, tmp_path_factory.mktemp("proof"), ["int8"], images=60)
    return make(job, "int8").file


def test_the_file_proves_itself(exported: Path) -> None:
    checked = verify(exported)
    assert checked.faces == FACES
    stored = {key: f["value"] for key, f in checked.spec.parity["figures"].items()}
    # Some of the faces that the verdict was about, cut anew: the same figures, nearly.
    for figure in checked.figures:
        assert figure.value == pytest.approx(stored[figure.key], rel=0.5), figure.key
    assert len(embedded_file(exported, PROOF) or b"") < 20_000


def test_two_threads_change_nothing(exported: Path) -> None:
    one, two = verify(exported), verify(exported, threads=2)
    assert one.figures == two.figures


def test_other_answers_fail(exported: Path, tmp_path: Path) -> None:
    """A file whose numbers are no longer those of its float model exits with 1."""
    other = tmp_path / "other.tflite"
    shutil.copy(exported, other)
    with np.load(_stream(exported)) as proof:
        changed = dict(proof)
    changed["points"] = changed["points"] + np.int16(2000)  # a fifteenth of the crop
    np.savez_compressed(tmp_path / "changed.npz", **changed)
    embed_file(other, PROOF, (tmp_path / "changed.npz").read_bytes())
    result = CliRunner().invoke(main, ["verify", str(other)])
    assert result.exit_code == 1
    assert "FAIL" in result.output and "against its float model: 48 faces" in result.output


def test_pictures_of_ones_own(exported: Path, tmp_path: Path, refused) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    one = Path(shutil.copy(next(samples.LONDON.glob("*.jpg")), folder))
    sentence = refused(main, "verify", exported, "--faces", folder)
    assert "47 of the 48 pictures" in sentence or "48 of the 48 pictures" in sentence
    one.unlink()
    for source in (samples.LONDON, samples.PORTRAITS):
        shutil.copytree(source, folder / source.name)
    assert verify(exported, folder).figures == verify(exported).figures


def test_files_without_a_proof_are_refused(exported: Path, tmp_path: Path, refused) -> None:
    plain = tmp_path / "plain.tflite"
    plain.write_bytes(exported.read_bytes()[: exported.read_bytes().index(b"PK\x03\x04")])
    assert "carries no asmnet.json" in refused(main, "verify", plain)
    embed_spec(plain, read_spec(exported))
    assert "carries no proof.npz: export it again" in refused(main, "verify", plain)


def test_a_damaged_proof_is_one_sentence(exported: Path, tmp_path: Path, refused) -> None:
    other = tmp_path / "other.tflite"
    shutil.copy(exported, other)
    embed_file(other, PROOF, b"no npz")
    assert "has an unusable proof.npz" in refused(main, "verify", other)
    content = bytearray(exported.read_bytes())
    at = content.index(PROOF.encode()) + 200  # inside what was compressed
    content[at : at + 50] = bytes(50)
    other.write_bytes(content)
    assert "proof.npz is damaged" in refused(main, "verify", other)


def test_two_pictures_of_one_name_are_not_mixed_up(exported: Path, tmp_path: Path, refused) -> None:
    for name in "ab":
        shutil.copytree(samples.LONDON, tmp_path / name)
    assert "have the same name" in refused(main, "verify", exported, "--faces", tmp_path)


def _stream(file: Path) -> io.BytesIO:
    return io.BytesIO(embedded_file(file, PROOF) or b"")
