"""Augmentation: pixels and labels move together, and training crops are runtime crops."""

import dataclasses

import numpy as np
import pytest
from keras import ops

from asmnet.core import IBUG68, Crop, extract, mirror_pose, rotate_pose
from asmnet.train import augment
from asmnet.train.packed import PACK_MARGIN

SIZE, MARGIN = 112, 1.25
PACK = round(SIZE * PACK_MARGIN / MARGIN)
STILL = augment.Augmentation()
MOVING = augment.Augmentation(rotation=30, scale=0.15, shift=0.06, mirror=0.5)


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
    turning = augment.Augmentation(rotation=augment.MODERN.rotation)
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


def test_weights_stay_with_their_points(rng):
    points = np.stack([shape(rng)] * 32)
    weights = np.ones((32, 68))
    weights[:, 36] = 0.25
    still = np.zeros((32, 3))
    parameters, targets = augment.draw(
        rng, points, points, still, IBUG68, MOVING, PACK, SIZE, MARGIN, weights
    )
    step = parameters["affine"][:, [0, 1, 3, 4]].reshape(-1, 2, 2)
    marked = np.where(np.linalg.det(step) < 0, 45, 36)
    assert set(marked) == {36, 45}
    np.testing.assert_array_equal(targets["weights"].argmin(axis=1), marked)


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
    for name in ("brightness", "contrast", "color", "gray", "blur", "noise", "dim", "occlusion"):
        value = max(getattr(augment.MODERN, name), getattr(augment.STURDY, name))
        strength = dataclasses.replace(STILL, **{name: value})
        changed, _ = render(images, points, strength, seed=0)
        assert np.abs(changed - plain).mean() > 1e-3, name


def drawn(seed=0, count=400, **strengths):
    """Parameters and targets of many faces under these strengths alone."""
    points = np.stack([shape(np.random.default_rng(1))] * count)
    return augment.draw(
        *(np.random.default_rng(seed), points, points, np.zeros((count, 3)), IBUG68),
        *(augment.Augmentation(**strengths), PACK, SIZE, MARGIN),
    )


def crop_of(parameters):
    """Side in packed pixels, and centre in units of it from the packed square's, of each crop."""
    affine = parameters["affine"].astype(np.float64)
    step = affine[:, [0, 1, 3, 4]].reshape(-1, 2, 2)
    side = SIZE * np.sqrt(np.abs(np.linalg.det(step)))
    middle = np.array([(SIZE - 1) / 2] * 2)
    centre = np.einsum("bij,j->bi", step, middle) + affine[:, [2, 5]] - (PACK - 1) / 2
    return side, centre / side[:, None]


def spans(values, low, high):
    """Whether many uniform draws fill the interval and never leave it."""
    slack, room = 1e-4, 0.05 * (high - low)
    assert values.min() >= low - slack and values.max() <= high + slack
    assert values.min() <= low + room and values.max() >= high - room


def test_scale_strays_by_its_log_ratio():
    side, _ = crop_of(drawn(scale=0.15)[0])
    spans(np.log(side / (MARGIN * PACK / PACK_MARGIN)), -0.15, 0.15)


def test_shift_strays_by_crop_sides():
    _, centre = crop_of(drawn(shift=0.06)[0])
    spans(centre[:, 0], -0.06, 0.06)
    spans(centre[:, 1], -0.06, 0.06)


def test_rotation_strays_by_degrees():
    spans(drawn(rotation=30.0)[1]["pose"][:, 2], -30, 30)


def test_mirroring_by_its_probability():
    assert not (drawn(mirror=0.0)[0]["affine"][:, 0] < 0).any()
    assert (drawn(mirror=1.0)[0]["affine"][:, 0] < 0).all()
    assert np.mean(drawn(mirror=0.25)[0]["affine"][:, 0] < 0) == pytest.approx(0.25, abs=0.08)


def test_a_mirrored_face_is_the_same_from_left_to_right():
    plain, mirrored = (drawn(count=4, mirror=p)[1]["landmarks"] for p in (0.0, 1.0))
    assert plain.shape == mirrored.shape == (4, 136)
    expected = plain.reshape(4, 68, 2)[:, IBUG68.mirror] * [-1, 1]
    np.testing.assert_allclose(mirrored.reshape(4, 68, 2), expected, atol=1e-6)


def test_light_strays_by_its_strengths():
    spans(drawn(brightness=0.25)[0]["bias"], -0.25, 0.25)
    spans(drawn(color=0.1)[0]["bias"], -0.05, 0.05)
    gains = np.log(np.diagonal(drawn(contrast=0.3)[0]["mix"], axis1=1, axis2=2))
    spans(gains, -0.3, 0.3)
    assert np.ptp(gains, axis=1).max() < 1e-5, "contrast is the same for all channels"
    gains = np.log(np.diagonal(drawn(color=0.1)[0]["mix"], axis1=1, axis2=2))
    spans(gains, -0.1, 0.1)
    assert np.ptp(gains, axis=1).max() > 0.1, "colour is not"


def test_without_strength_the_light_stays():
    parameters, _ = drawn()
    np.testing.assert_array_equal(parameters["mix"], np.broadcast_to(np.eye(3), (400, 3, 3)))
    assert (parameters["bias"] == 0).all() and (parameters["blur"] == 0).all()
    assert parameters["noise"].max() < 1e-8


def test_dim_light_fades_towards_black():
    parameters = drawn(dim=0.25)[0]
    light = parameters["mix"][:, 0, 0]
    dim = light < 1
    assert np.mean(dim) == pytest.approx(0.25, abs=0.08)
    spans(np.log(light[dim]), np.log(augment.DIMMEST), 0)
    np.testing.assert_allclose(parameters["bias"][:, 0], light - 1, atol=1e-6)  # -1 stays -1
    assert (drawn(dim=0.0)[0]["mix"] == np.eye(3, dtype=np.float32)).all()


def test_gray_pictures_have_equal_channels():
    assert (drawn(gray=1.0)[0]["mix"] == np.float32(1 / 3)).all()
    gray = drawn(gray=0.25)[0]["mix"][:, 0, 1] > 0
    assert gray.mean() == pytest.approx(0.25, abs=0.08)


def test_blur_noise_and_occlusion_by_their_strengths():
    blur = drawn(blur=0.5)[0]["blur"]
    assert np.mean(blur > 0) == pytest.approx(0.5, abs=0.08)
    spans(blur, 0, 1)
    spans(drawn(noise=0.06)[0]["noise"], 0, 0.06)
    box = drawn(occlusion=0.5)[0]["occluder"]
    extent = box[:, 2:4] - box[:, :2]
    assert np.mean(extent[:, 0] > 0) == pytest.approx(0.5, abs=0.08)
    covered = extent[extent[:, 0] > 0]
    spans(covered, 0.1, 0.45)
    spans(box[:, :2], -0.1, 0.9)
    spans(box[:, 4:], -1, 1)


def applied(images, **changes):
    """`apply` of parameters that leave pictures as they are, but for `changes`."""
    parameters, _ = drawn(count=len(images))
    parameters |= {
        key: np.broadcast_to(np.float32(value), parameters[key].shape)
        for key, value in changes.items()
    }
    return ops.convert_to_numpy(augment.apply(images, parameters, SIZE))


GRAY = np.full((2, PACK, PACK, 3), 153, np.uint8)  # 0.2 of [-1, 1]


def test_light_is_a_matrix_and_an_offset():
    out = applied(GRAY, mix=0.5 * np.eye(3), bias=[0.1, 0.2, -0.3])
    np.testing.assert_allclose(out[0, 50, 50], [0.2, 0.3, -0.2], atol=1e-5)
    assert applied(GRAY, bias=[5, 5, 5]).max() == 1 and applied(GRAY, bias=[-5, 0, 0]).min() == -1


def test_noise_has_the_drawn_deviation():
    out = applied(GRAY, noise=0.05, seed=17.0)[0]
    assert out.mean() == pytest.approx(0.2, abs=0.005)
    assert out.std() == pytest.approx(0.05, rel=0.05)
    assert (out[..., 0] == out[..., 1]).all(), "of light, not of colour"
    assert np.abs(applied(GRAY, noise=0.05, seed=18.0)[0] - out).mean() > 0.01


def test_blur_mixes_in_the_mean_of_five_by_five():
    image = np.zeros((1, PACK, PACK, 3), np.uint8)
    image[0, PACK // 2 - 40 : PACK // 2 + 40, PACK // 2 :] = 255
    sharp, soft, half = (applied(image, blur=value)[0, 56, :, 0] for value in (0.0, 1.0, 0.5))
    np.testing.assert_allclose(half, (sharp + soft) / 2, atol=1e-5)
    expected = np.convolve(sharp, np.full(5, 0.2), "same")
    np.testing.assert_allclose(soft[10:-10], expected[10:-10], atol=1e-5)


def test_an_occluder_covers_its_box_and_no_more():
    out = applied(GRAY, occluder=[0.25, 0.5, 0.5, 0.75, -1, 0, 1])[0]
    covered = np.zeros((SIZE, SIZE), bool)
    covered[SIZE // 2 : 3 * SIZE // 4, SIZE // 4 : SIZE // 2] = True
    np.testing.assert_array_equal(out[covered], np.tile(np.float32([-1, 0, 1]), (28 * 28, 1)))
    np.testing.assert_allclose(out[~covered], 0.2, atol=1e-5)
