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
from asmnet.evaluate.picture_split import (
    calibrating,
    copies,
    different,
    judges,
    judging,
    look,
)
from asmnet.export import calibration_faces
from asmnet.export.eval_faces import FEWEST, eval_faces
from asmnet.export.pipeline import load_job

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


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder of 300 files, half of them in a folder of their own; all that counts is content."""
    (tmp_path / "own" / "part").mkdir(parents=True)
    for k in range(300):
        (tmp_path / "own" / ("part" if k % 2 else "") / f"{k}.jpg").write_text(str(k))
    return tmp_path / "own"


def sides(calibration: Path | None, faces: Path | None) -> tuple[set[Path], set[Path]]:
    """Which files calibrate and which judge, before anybody looks for faces."""

    def all_of(folder: Path | None) -> set[Path]:
        folders = [samples.LONDON, samples.PORTRAITS] if folder is None else [folder]
        return {path for folder in folders for path in folder.rglob("*.jpg")}

    learned = {path for path in all_of(calibration) if calibrating(calibration, faces)(path)}
    return learned, {path for path in all_of(faces) if judging(calibration, faces)(path)}


def test_two_of_five_pictures_judge_by_their_content(own: Path, tmp_path: Path) -> None:
    judged = {path for path in own.rglob("*.jpg") if judges(path)}
    assert len(judged) == pytest.approx(0.4 * 300, abs=25)
    shutil.copytree(own, tmp_path / "copy")
    assert {tmp_path / "copy" / p.relative_to(own) for p in judged} == {
        path for path in (tmp_path / "copy").rglob("*.jpg") if judges(path)
    }
    with pytest.raises(UserError, match=r"cannot read picture .*gone\.jpg: No such file"):
        judges(tmp_path / "gone.jpg")


def test_files_that_both_could_use_are_parted(own: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(own)
    for calibration, faces in ((own, own), (own, own / "part"), (own / "part", own)):
        learned, judged = sides(calibration, faces)
        assert learned and judged and not learned & judged
        shared = set((own / "part").rglob("*.jpg"))
        assert shared <= learned | judged
    learned, judged = sides(tmp_path / "link", own)
    assert not {path.name for path in learned} & {path.name for path in judged}


def test_files_of_one_side_alone_stay_whole(own: Path, tmp_path: Path) -> None:
    shutil.copytree(own, tmp_path / "other")
    learned, judged = sides(own, tmp_path / "other")
    assert len(learned) == len(judged) == 300
    learned, judged = sides(own, own / "part")
    assert {path for path in learned if path.parent == own} == set(own.glob("*.jpg"))


def test_the_shipped_pictures_are_always_parted(own: Path) -> None:
    learned, judged = sides(None, None)
    assert not learned & judged and len(judged) == 35 and len(learned) == 68
    assert sides(None, own) == (learned, set(own.rglob("*.jpg")))
    assert sides(own, None) == (set(own.rglob("*.jpg")), judged)
    assert sides(samples.LONDON, None) == (learned & set(LONDON), judged)


def test_looks_of_copies_are_nowhere_far_apart() -> None:
    looks = np.zeros((3, 768), np.float32)
    looks[1] = 40
    looks[2, 5] = -17.9
    assert copies(looks[2], looks[:2]) and copies(looks[0], looks[1:])
    assert not copies(looks[2] - np.eye(768)[5].astype(np.float32) * 0.1, looks[:2])
    assert not copies(looks[0], looks[:0])


def test_copies_of_copies_are_counted_once() -> None:
    """The third is like the second, but not like the first, whose copy the second is."""
    looks = np.float32([0, 10, 20, 100, 101, 0])[:, None].repeat(768, axis=1)
    assert different(looks) == 3
    assert different(looks[:2]) == 1 and different(looks[:0]) == 0


def test_a_look_is_a_small_picture() -> None:
    image = np.zeros((160, 320, 3), np.uint8)
    image[:, 160:, 1] = 200
    small = look(image)
    assert small.dtype == np.float32
    np.testing.assert_array_equal(small.reshape(16, 16, 3)[:, 8:], [[[0, 200, 0]] * 8] * 16)
    assert (small.reshape(16, 16, 3)[:, :8] == 0).all()
    image[::10, :160] = 100
    assert (look(image).reshape(16, 16, 3)[:, :8] == 10).all(), "each cell is a mean"


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
    job = load_job(tiny_file, tmp_path / "made", ["int8"], folder, 150, str(folder))
    assert job.calibration is not None
    learned, judged = ({Path(n).stem for n in s.names} for s in (job.calibration, job.eval_faces))
    assert not learned & judged and len(judged) >= FEWEST
