"""No picture both calibrates and judges: not of the shipped ones, not of a user's folders."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from asmnet import samples
from asmnet.core import ModelSpec, UserError
from asmnet.evaluate import detected_faces
from asmnet.evaluate.face_sets import FaceSet
from asmnet.evaluate.picture_split import judges
from asmnet.export import calibration_faces
from asmnet.export.eval_faces import FEWEST, eval_faces
from asmnet.export.pipeline import open_job

SPEC = ModelSpec("test", "0", "ibug68", 96, "landmarks", "pose")
LONDON = sorted(samples.LONDON.glob("*.jpg"))


def folder_with(pictures: list[Path], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for path in pictures:
        shutil.copy(path, folder)
    return folder


def both(
    calibration: Path | None, faces: Path | str | None, images: int = 200
) -> tuple[FaceSet, FaceSet]:
    """Who calibrates and who judges, as asmnet-export's --calibration and --faces say."""
    source = None if faces is None else str(faces)
    judged = None if faces is None else Path(faces)
    calibrated = calibration_faces(SPEC, calibration, images, judged=judged)
    return calibrated, eval_faces(
        SPEC, source, images, calibration=calibration, calibrated=calibrated
    )


def test_the_shipped_people_are_parted_once() -> None:
    calibrated, trial = both(None, None)
    learned, judged = set(calibrated.names), set(trial.names)
    assert not learned & judged
    assert (len(learned), len(judged)) == (68, 35)
    assert len(calibrated.images) == len(trial.images) == 200
    people = [{name.split("_")[1] for name in names if "_0" in name} for names in (learned, judged)]
    assert not people[0] & people[1], "nobody is on both sides, neutral or smiling"


def test_the_shipped_side_that_calibrates_does_not_depend_on_who_judges(tmp_path: Path) -> None:
    faces = folder_with(LONDON[:5], tmp_path)
    assert calibration_faces(SPEC, judged=faces).record() == calibration_faces(SPEC).record()


def test_one_folder_for_both_is_parted(tmp_path: Path) -> None:
    folder = folder_with(LONDON, tmp_path)
    calibrated, trial = both(folder, folder)
    learned, judged = set(calibrated.names), set(trial.names)
    assert not learned & judged and len(learned | judged) == len(LONDON)


def test_a_folder_inside_the_other_is_parted(tmp_path: Path) -> None:
    folder, part = folder_with(LONDON[:10], tmp_path), folder_with(LONDON[10:], tmp_path / "part")
    for calibrated, trial in (both(folder, part), both(part, folder)):
        assert not set(calibrated.names) & set(trial.names)


def test_the_shipped_folders_given_by_path_are_parted() -> None:
    calibrated, trial = both(samples.LONDON, None)
    assert not set(calibrated.names) & set(trial.names)
    calibrated, trial = both(None, samples.LONDON)
    assert not set(calibrated.names) & set(trial.names)


def test_more_pictures_move_none_of_the_others(tmp_path: Path) -> None:
    few, more = (folder_with(LONDON[:n], tmp_path / str(n)) for n in (95, 100))
    before, after = both(few, few), both(more, more)
    for one, other in zip(before, after, strict=True):
        assert set(one.names) <= set(other.names)


def test_copies_of_what_calibrated_do_not_judge(tmp_path: Path) -> None:
    """In another folder, under another name, in another format, size and quality."""
    folder, copies = folder_with(LONDON[:60], tmp_path / "a"), tmp_path / "b"
    folder_with(LONDON[60:], copies)
    for i, path in enumerate(LONDON[:40]):
        image = cv2.resize(cv2.imread(str(path)), None, fx=0.8, fy=0.8)
        quality = [cv2.IMWRITE_JPEG_QUALITY, 60 + i]
        cv2.imwrite(str(copies / f"copy{i:02}{('.png', '.jpg')[i % 2]}"), image, quality)
    _, trial = both(folder, copies)
    assert set(trial.names) == {path.name for path in LONDON[60:]}
    assert trial.record()["left_out"] == 40


def test_labelled_faces_are_parted_too(tmp_path: Path) -> None:
    folder = folder_with(LONDON, tmp_path)
    turn = np.linspace(0, 2 * np.pi, 68)
    oval = np.stack([160 + 60 * np.cos(turn), 170 + 75 * np.sin(turn)], axis=1)
    rows = "".join(f"{x:.2f} {y:.2f}\n" for x, y in oval)
    for path in folder.glob("*.jpg"):
        path.with_suffix(".pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}}}\n")
    calibrated, trial = both(folder, folder, images=50)
    assert trial.points is not None
    assert not set(calibrated.names) & set(trial.names)
    everyone = {path for path in folder.glob("*.jpg") if judges(path)}
    assert {folder / name for name in trial.names} == everyone, "also of those not chosen"


def test_too_few_to_judge_on_is_one_sentence(tmp_path: Path) -> None:
    folder = folder_with(LONDON[:60], tmp_path / "a")
    rest = folder_with(LONDON[:80], tmp_path / "b")
    (rest / LONDON[60].name).unlink()
    with pytest.raises(UserError, match=f"needs {FEWEST} .*there are 19 besides the 60 that calib"):
        both(folder, rest)
    with pytest.raises(UserError, match="none is left, since no picture both"):
        both(folder, folder_with(LONDON[:60], tmp_path / "c"))


def test_too_few_left_to_calibrate_on_is_one_sentence(tmp_path: Path) -> None:
    folder = folder_with(LONDON[:60], tmp_path)
    with pytest.raises(UserError, match=r"\d\d different .*without the \d\d that judge.* 50 or"):
        both(folder, folder)


def test_judged_faces_are_warped_anew(tmp_path: Path) -> None:
    folder = folder_with(LONDON[:30], tmp_path)
    trial = eval_faces(SPEC, str(folder), 60)
    calibrated = detected_faces(folder, 60, SPEC)
    np.testing.assert_array_equal(trial.images[:30], calibrated.images[:30])
    assert (trial.images[30:] != calibrated.images[30:]).any(axis=(1, 2, 3)).all()


def test_an_export_parts_its_folders(tiny_file: Path, tmp_path: Path) -> None:
    """Copies of some pictures are in the folder as well: they do not judge their originals."""
    folder = folder_with(LONDON, tmp_path / "faces")
    for path in LONDON[:30]:
        cv2.imwrite(str(folder / f"{path.stem}.png"), cv2.imread(str(path)))
    (tmp_path / "made").mkdir()
    job = open_job(tiny_file, tmp_path / "made", ["int8"], folder, 150, str(folder))
    assert job.calibration is not None
    learned, judged = ({Path(n).stem for n in s.names} for s in (job.calibration, job.eval_faces))
    assert not learned & judged and len(judged) >= FEWEST
