"""Augmentation: pixels and labels move together, and training crops are runtime crops."""

import dataclasses

import numpy as np
import pytest
from keras import ops

from asmnet.core import IBUG68, Crop, extract, mirror_pose, rotate_pose
from asmnet.train import augment
from asmnet.train.pictures import PACK_MARGIN

SIZE, MARGIN = 112, 1.25
PACK = round(SIZE * PACK_MARGIN / MARGIN)
STILL = augment.Strength()
MOVING = augment.Strength(rotation=30, scale=0.15, shift=0.06, mirror=0.5)


def shape(rng):
    points = rng.uniform(-0.5, 0.5, (68, 2))
    points -= (points.max(axis=0) + points.min(axis=0)) / 2
    return (
        points / np.ptp(points, axis=0).max() / PACK_MARGIN
    )  # its tight box has side 1 / PACK_MARGIN


def dots(points):
    """A black square with a white blob at each of a few points."""
    image = np.zeros((PACK, PACK, 3), np.float64)
    y, x = np.mgrid[:PACK, :PACK]
    for u in points:
        px, py = u * PACK + (PACK - 1) / 2
        image += np.exp(-((x - px) ** 2 + (y - py) ** 2) / 8)[..., None]
    return np.uint8(255 * np.minimum(image, 1))


def test_pixels_follow_labels(rng):
    mark = 36
    points = np.stack([shape(rng) for _ in range(48)])
    images = np.stack([dots(p[[mark]]) for p in points])
    parameters, targets = augment.draw(
        rng, points, points, np.zeros((48, 3)), IBUG68, MOVING, PACK, SIZE, MARGIN
    )
    out = ops.convert_to_numpy(augment.apply(images, parameters, SIZE))
    light = (out.mean(axis=-1) + 1) / 2
    labels = targets["landmarks"].reshape(-1, 68, 2) * SIZE + (SIZE - 1) / 2
    y, x = np.mgrid[:SIZE, :SIZE]
    seen = {True: 0, False: 0}
    for picture, pixels in zip(light, labels, strict=True):
        total = picture.sum()
        found = np.array([(picture * x).sum(), (picture * y).sum()]) / total
        if not (10 < found).all() or not (found < SIZE - 10).all():
            continue  # the blob is cut off at the crop's edge
        # In a mirrored face the marked point goes by its mirror's name.
        error = {m: np.hypot(*(pixels[i] - found)) for m, i in ((False, mark), (True, 45))}
        mirrored = error[True] < error[False]
        seen[mirrored] += 1
        assert error[mirrored] < 0.25
    assert min(seen.values()) > 8


def test_without_augmentation_it_is_the_runtime_crop(rng):
    picture = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8).repeat(32, 0).repeat(32, 1)
    landmarks = shape(rng) * 250 + 190
    packing = Crop.around(landmarks, PACK_MARGIN)
    packed = extract(picture, packing, PACK)
    parameters, targets = augment.draw(
        rng,
        packing.to_units(landmarks)[None],
        packing.to_units(landmarks)[None],
        np.zeros((1, 3)),
        IBUG68,
        STILL,
        PACK,
        SIZE,
        MARGIN,
    )
    crop = Crop.around(landmarks, MARGIN)
    out = ops.convert_to_numpy(augment.apply(packed[None], parameters, SIZE))[0]
    expected = extract(picture, crop, SIZE) / 127.5 - 1.0
    # Resampled twice against once: the same picture but for that blur.
    assert np.corrcoef(out.ravel(), expected.ravel())[0, 1] > 0.99
    np.testing.assert_allclose(
        targets["landmarks"].reshape(68, 2), crop.to_units(landmarks), atol=1e-5
    )


def test_pose_moves_with_the_picture(rng):
    points = np.stack([shape(rng) for _ in range(32)])
    pose = rng.uniform(-40, 40, (32, 3))
    pose[5] = np.nan
    parameters, targets = augment.draw(
        rng, points, points, pose, IBUG68, MOVING, PACK, SIZE, MARGIN
    )
    # The drawn angle, read back from the affine (which maps crop to packed pixels).
    step = parameters["affine"][:, [0, 1, 3, 4]].reshape(-1, 2, 2).astype(np.float64)
    flipped = np.linalg.det(step) < 0
    assert 5 < flipped.sum() < 27
    linear = np.linalg.inv(step)
    linear[flipped] = linear[flipped] @ np.diag([-1, 1])
    angle = np.degrees(np.arctan2(linear[:, 1, 0], linear[:, 0, 0]))
    expected = rotate_pose(np.where(flipped[:, None], mirror_pose(pose), pose), angle)
    np.testing.assert_allclose(targets["pose"], expected, atol=1e-2)
    assert np.isnan(targets["pose"][5]).all()


def test_smoothed_targets_move_as_the_labels_do(rng):
    """Mirrored faces included, whose points change their names."""
    points = np.stack([shape(rng) for _ in range(16)])
    still = np.zeros((16, 3))
    _, targets = augment.draw(rng, points, points, still, IBUG68, MOVING, PACK, SIZE, MARGIN)
    np.testing.assert_allclose(targets["smoothed"], targets["landmarks"], atol=1e-6)


def test_a_turned_crop_stays_in_its_packed_square():
    """The packed square has pixels for every corner of a crop that turns as far as we turn."""
    angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=-1) / 2 / PACK_MARGIN
    points = np.stack([circle] * 64)
    pack = round(SIZE * PACK_MARGIN / MARGIN)
    turning = augment.Strength(rotation=augment.MODERN.rotation)
    parameters, _ = augment.draw(
        np.random.default_rng(0),
        points,
        points,
        np.zeros((64, 3)),
        IBUG68,
        turning,
        pack,
        SIZE,
        MARGIN,
    )
    affine = parameters["affine"][:, :6].reshape(64, 2, 3)
    corners = np.array([[x, y, 1] for x in (0, SIZE - 1) for y in (0, SIZE - 1)])
    packed = corners @ affine.transpose(0, 2, 1)
    assert packed.min() > -0.5 and packed.max() < pack - 0.5


def render(images, points, strength, seed):
    """Network inputs and targets of one draw, for faces without a pose to speak of."""
    count = len(images)
    parameters, targets = augment.draw(
        np.random.default_rng(seed),
        *(points, points, np.zeros((count, 3))),
        *(IBUG68, strength, PACK, SIZE, MARGIN),
    )
    return ops.convert_to_numpy(augment.apply(images, parameters, SIZE)), targets


@pytest.mark.parametrize("strength", [augment.PAPER, augment.MODERN])
def test_the_same_draw_gives_the_same_batch(strength, rng):
    points = np.stack([shape(rng)] * 4)
    images = rng.integers(0, 256, (4, PACK, PACK, 3), dtype=np.uint8)
    (a, labels), (b, again) = (render(images, points, strength, seed=3) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(labels["landmarks"], again["landmarks"])
    assert a.shape == (4, SIZE, SIZE, 3) and np.abs(a).max() < 1.6


def test_every_photometric_part_shows(rng):
    images = rng.integers(0, 256, (64, PACK, PACK, 3), dtype=np.uint8)
    points = np.stack([shape(rng)] * 64)
    plain, _ = render(images, points, STILL, seed=0)
    for name in ("brightness", "contrast", "color", "gray", "blur", "noise", "occlusion"):
        strength = dataclasses.replace(STILL, **{name: getattr(augment.MODERN, name)})
        changed, _ = render(images, points, strength, seed=0)
        assert np.abs(changed - plain).mean() > 1e-3, name
