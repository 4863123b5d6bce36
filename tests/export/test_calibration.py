"""Calibration takes the runtime's own crops of real faces, and refuses anything less."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from asmnet import samples
from asmnet.cli.progress import no_progress
from asmnet.core import IBUG68, ModelSpec, UserError, extract
from asmnet.edge_runtime import FaceDetector
from asmnet.edge_runtime.crops import OPENCV
from asmnet.evaluate import FaceSet, detected_faces
from asmnet.export import calibration, calibration_faces

SPEC = ModelSpec("test", "0", "ibug68", 96, "landmarks", "pose")
LONDON = sorted(samples.LONDON.glob("*.jpg"))


def pictures(folder: Path, count: int) -> Path:
    """A folder, two deep, with some of the shipped faces."""
    deep = folder / "a" / "b"
    deep.mkdir(parents=True)
    for path in LONDON[:count]:
        shutil.copy(path, deep)
    return folder


def noise(folder: Path, count: int) -> None:
    rng = np.random.default_rng(0)
    for i in range(count):
        cv2.imwrite(str(folder / f"noise_{i:03}.png"), rng.integers(0, 256, (160, 160, 3)))


def test_the_shipped_faces_fill_up_with_warped_copies() -> None:
    faces = calibration_faces(SPEC)
    record = faces.record()
    assert faces.images.shape == (200, 96, 96, 3) and faces.images.dtype == np.uint8
    assert (record["pictures"], record["warped_copies"]) == (68, 132)
    assert (record["without_face"], record["left_out"]) == (0, 35), "35 people judge"
    assert record == calibration_faces(SPEC).record(), "the same call gives the same crops"


def test_crops_are_the_runtimes(tmp_path: Path) -> None:
    faces = detected_faces(pictures(tmp_path, 1), 1, SPEC)
    image = cv2.imread(str(LONDON[0]))
    crop = FaceDetector.load().detect(image)[0].to_crop(SPEC.margin)
    expected = cv2.cvtColor(extract(image, crop, SPEC.input_size, OPENCV), cv2.COLOR_BGR2RGB)
    # Pillow and OpenCV may decode a JPEG one grey level apart.
    assert np.abs(faces.images[0].astype(int) - expected).max() <= 4
    assert faces.names == (LONDON[0].name,)


def test_a_few_pictures_without_a_face_are_left_out_and_counted(tmp_path: Path) -> None:
    noise(pictures(tmp_path, 60), 4)
    faces = calibration_faces(SPEC, tmp_path, images=64)
    assert faces.missed == tuple(f"noise_{i:03}.png" for i in range(4))
    assert faces.record()["without_face"] == 4
    assert faces.warped == 0


def test_many_pictures_are_sampled(tmp_path: Path) -> None:
    faces = calibration_faces(SPEC, pictures(tmp_path, 80), images=60)
    assert len(set(faces.names)) == len(faces.images) == 60


def test_ten_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="10 different pictures.*needs 50"):
        calibration_faces(SPEC, pictures(tmp_path, 10))


def test_copies_of_one_picture_are_refused(tmp_path: Path) -> None:
    image = cv2.imread(str(LONDON[0]))
    for i in range(60):
        # Not even the same bytes: other JPEG qualities.
        cv2.imwrite(str(tmp_path / f"{i}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 70 + i // 2])
    with pytest.raises(UserError, match=" 1 different pictures"):
        calibration_faces(SPEC, tmp_path)


def test_noise_is_refused(tmp_path: Path) -> None:
    noise(tmp_path, 60)
    with pytest.raises(UserError, match="no face was found in"):
        calibration_faces(SPEC, tmp_path)


def changed(folder: Path, change: Callable[[np.ndarray], np.ndarray]) -> Path:
    """A folder with 60 of the shipped faces, their BGR pixels changed."""
    for path in LONDON[:60]:
        pixels = np.clip(np.rint(change(np.float32(cv2.imread(str(path))))), 0, 255)
        cv2.imwrite(str(folder / f"{path.stem}.png"), pixels.astype(np.uint8))
    return folder


def test_pixels_normalised_already_are_refused(tmp_path: Path) -> None:
    """Faces are found in them, ranges too: half of the contract's."""
    folder = changed(tmp_path, lambda pixels: pixels / 2)
    with pytest.raises(UserError, match="grey levels reach from .* to 12. with a mean"):
        calibration_faces(SPEC, folder)


def test_swapped_channels_are_refused(tmp_path: Path) -> None:
    folder = changed(tmp_path, lambda pixels: pixels[..., ::-1])
    with pytest.raises(UserError, match="bluer than red by 2. grey levels.*RGB for BGR"):
        calibration_faces(SPEC, folder)


def test_gray_pictures_are_taken(tmp_path: Path) -> None:
    folder = changed(tmp_path, lambda pixels: pixels.mean(axis=-1, keepdims=True).repeat(3, -1))
    assert calibration_faces(SPEC, folder, images=50).images.shape[0] == 50


def test_many_pictures_without_a_face_are_refused_by_name(tmp_path: Path) -> None:
    noise(pictures(tmp_path, 60), 30)
    with pytest.raises(UserError, match="30 of 90 pictures .noise_000.png, noise_001.png"):
        calibration_faces(SPEC, tmp_path)


def test_empty_missing_and_broken_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a folder"):
        calibration_faces(SPEC, tmp_path / "nowhere")
    with pytest.raises(UserError, match="holds no pictures"):
        calibration_faces(SPEC, tmp_path)
    (pictures(tmp_path, 60) / "broken.jpg").write_bytes(LONDON[0].read_bytes()[:100])
    with pytest.raises(UserError, match="broken.jpg"):
        calibration_faces(SPEC, tmp_path)


def test_too_few_crops_are_refused() -> None:
    with pytest.raises(UserError, match="--images 10 is too few"):
        calibration_faces(SPEC, images=10)


def face_set(levels: list[int], share: float = 0.01, count: int = 50, **more: Any) -> FaceSet:
    """Crops of so many different pictures.

    Args:
        levels: grey levels of nearly all pixels, of a share of them, and of another such share.
    """
    crops = np.full((count, 10, 10, 3), levels[0], np.uint8)
    step = round(1 / share)
    crops.reshape(-1, 3)[::step] = levels[1]
    crops.reshape(-1, 3)[1::step] = levels[2]
    looks = np.float32(20 * np.arange(count))[:, None].repeat(768, axis=1)
    return FaceSet(crops, ("a.jpg",) * count, "found", IBUG68, looks=looks, **more)


PHOTOGRAPHS = [128, 0, 255]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FaceSet]:
    """`calibration_faces` of a folder in which these faces are found."""

    def taken(faces: FaceSet, images: int = 50, judged: Path | None = None) -> FaceSet:
        def detected(folder, count, spec, progress, wanted):
            assert (folder, count, spec, progress) == (Path("mine"), images, SPEC, no_progress)
            assert wanted == ("wanted", folder, judged)
            return faces

        monkeypatch.setattr(calibration, "detected_faces", detected)
        monkeypatch.setattr(calibration, "calibrating", lambda *given: ("wanted", *given))
        return calibration_faces(SPEC, Path("mine"), images, judged=judged)

    return taken


def test_fifty_different_faces_are_enough_and_49_are_not(given) -> None:
    faces = face_set(PHOTOGRAPHS)
    assert given(faces) is faces and given(faces, judged=Path("others")) is faces
    with pytest.raises(UserError, match="^mine holds 49 different pictures of faces and calib"):
        given(face_set(PHOTOGRAPHS, count=49))
    with pytest.raises(UserError, match="49 different .* of faces, without the 9 that judge, and"):
        given(face_set(PHOTOGRAPHS, count=49, left_out=9))
    with pytest.raises(UserError, match="--images 49 is too few to calibrate; give 50 or more"):
        given(faces, images=49)


def test_a_fifth_of_the_pictures_may_be_without_a_face(given) -> None:
    """A fifth of those looked at; warped copies are no pictures of their own."""
    faces = face_set(PHOTOGRAPHS, count=60)
    looks = faces.looks[:52]
    missed = tuple(f"{k}.jpg" for k in range(13))
    assert given(replace(faces, warped=8, looks=looks, missed=missed))
    with pytest.raises(
        UserError, match=r"^mine: no .* in 14 of 66 .*0.jpg, 1.jpg, 2.jpg, \.\.\.\)"
    ):
        given(replace(faces, warped=8, looks=looks, missed=(*missed, "13.jpg")))
    few = face_set(PHOTOGRAPHS, count=4, missed=("0.jpg", "1.jpg", "2.jpg"))
    with pytest.raises(UserError, match=r"3 of 7 pictures \(0.jpg, 1.jpg, 2.jpg\);"):
        given(few)
    with pytest.raises(UserError, match=r"4 of 8 pictures \(0.jpg, 1.jpg, 2.jpg, \.\.\.\);"):
        given(replace(few, missed=(*few.missed, "3.jpg")))


@pytest.mark.parametrize(
    ("levels", "told"),
    [
        ([128, 40, 215], None),
        ([128, 41, 215], "from 41 to 215 with a mean of 128"),
        ([128, 40, 214], "from 40 to 214 with a mean of 128"),
        ([49, 0, 255], None),
        ([48, 0, 255], "from 0 to 255 with a mean of 50"),
        ([206, 0, 255], None),
        ([207, 0, 255], "from 0 to 255 with a mean of 205"),
    ],
)
def test_photographs_reach_from_dark_to_bright(given, levels: list[int], told: str | None) -> None:
    if told is None:
        assert given(face_set(levels))
    else:
        with pytest.raises(UserError, match=f"^mine: grey levels reach {told}, as if"):
            given(face_set(levels))


def test_a_few_dark_and_bright_pixels_are_none(given) -> None:
    """A thousandth of the pixels at either end is noise."""
    assert given(face_set([128, 40, 215], share=0.002))
    with pytest.raises(UserError, match="from 128 to 128"):
        given(face_set([128, 40, 215], share=0.0004))


def test_skin_may_be_a_little_bluer_than_red(given) -> None:
    def bluer(levels: int) -> FaceSet:
        faces = face_set(PHOTOGRAPHS)
        faces.images[..., 2] = np.minimum(faces.images[..., 2], 200) + levels
        faces.images[..., 0] = np.minimum(faces.images[..., 0], 200)
        faces.images[: len(faces.images) // 2 - 5] = PHOTOGRAPHS[2], 0, 0  # some are red
        return faces

    assert given(bluer(8))
    with pytest.raises(UserError, match="^mine: faces are bluer than red by 9 grey levels"):
        given(bluer(9))


def test_only_the_pictures_own_pixels_are_judged(given) -> None:
    """Their warped copies are relit on purpose."""
    faces = face_set(PHOTOGRAPHS, count=150)
    faces.images[50:] = 0, 0, 255
    faces.images[49] = 255
    assert given(replace(faces, warped=100, looks=faces.looks[:50]))
