"""The crop transform: both directions, half-pixel exact, on any picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asmnet.core import Crop, extract

finite = st.floats(-2000, 2000)
crops = st.builds(Crop, finite, finite, st.floats(4, 4000), st.floats(-180, 180))


@given(crops, st.lists(st.tuples(finite, finite), min_size=1, max_size=5))
def test_units_round_trip(crop, points):
    points = np.array(points)
    np.testing.assert_allclose(crop.to_picture(crop.to_units(points)), points, atol=1e-6)


@given(crops, st.integers(16, 512), st.tuples(finite, finite))
def test_matrix_and_units_are_one_convention(crop, size, point):
    pixel = crop.matrix(size) @ (*point, 1)
    units = crop.to_units(np.array(point))
    np.testing.assert_allclose(pixel, units * size + (size - 1) / 2, atol=1e-5 * size)


@given(crops, st.integers(16, 512))
def test_the_centre_maps_to_the_middle_pixel(crop, size):
    middle = crop.matrix(size) @ (crop.cx, crop.cy, 1)
    np.testing.assert_allclose(middle, (size - 1) / 2, atol=1e-6 * size)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_around_holds_every_point_with_its_margin(seed):
    points = np.random.default_rng(seed).uniform(0, 300, (68, 2))
    units = Crop.around(points, 1.25).to_units(points)
    assert np.abs(units).max() == pytest.approx(0.5 / 1.25)
    assert units.max(axis=0) + units.min(axis=0) == pytest.approx(0, abs=1e-9)
    assert Crop.around(points, 1.25).angle == 0


def ramp(height: int, width: int) -> np.ndarray:
    """A picture whose channels tell the x and y of each pixel."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, x * 0], axis=-1).astype(np.uint8)


def test_extract_puts_pixels_where_the_matrix_says():
    image = ramp(200, 240)
    crop = Crop(120.0, 100.0, 90.0, 20.0)
    out = extract(image, crop, 64)
    ys, xs = np.mgrid[:64, :64]
    units = (np.stack([xs, ys], axis=-1) - 31.5) / 64
    expected = crop.to_picture(units)
    np.testing.assert_allclose(out[..., :2], expected, atol=0.51)


def test_identity_crop_is_the_picture():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    np.testing.assert_array_equal(extract(image, Crop(31.5, 31.5, 64), 64), image)


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_shrinking_averages_instead_of_skipping(factor, rng):
    size = 48
    image = rng.integers(0, 256, (size * factor, size * factor, 3), dtype=np.uint8)
    middle = (size * factor - 1) / 2
    out = extract(image, Crop(middle, middle, size * factor), size)
    blocks = image.reshape(size, factor, size, factor, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(out, blocks, atol=0.51)


@pytest.mark.parametrize("side", [100, 130, 250, 700])
def test_shrinking_keeps_positions(side):
    """The pre-averaging must not shift the picture by its half block."""
    image = ramp(240, 250)
    crop = Crop(124.0, 119.0, side, 10.0)
    out = extract(image, crop, 50).astype(float)
    ys, xs = np.mgrid[:50, :50]
    units = (np.stack([xs, ys], axis=-1) - 24.5) / 50
    expected = crop.to_picture(units)
    inside = ((expected > 20) & (expected < (225, 215))).all(axis=-1)
    assert inside.sum() > 50
    np.testing.assert_allclose(out[inside][:, :2], expected[inside], atol=1.01)


@pytest.mark.parametrize("shape", [(20, 30, 3), (1, 1, 3), (1, 50, 3), (4000, 3, 3)])
@pytest.mark.parametrize("left, top", [(-5, 3), (10, -9), (-500, -400), (4500, 900), (20, 3990)])
def test_outside_the_picture_its_edge_pixels_repeat(shape, left, top, rng):
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    out = extract(image, Crop(left + 15.5, top + 15.5, 32), 32)
    rows = np.clip(np.arange(top, top + 32), 0, shape[0] - 1)
    columns = np.clip(np.arange(left, left + 32), 0, shape[1] - 1)
    np.testing.assert_array_equal(out, image[rows][:, columns])


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 50, 3), (4000, 3, 3), (200, 240, 3)])
@pytest.mark.parametrize(
    "crop", [Crop(-500, 900, 3000, 33), Crop(9000, 50, 200), Crop(50, 9000, 200)]
)
def test_a_large_crop_of_a_picture_beside_it_or_smaller_has_its_pixels(shape, crop):
    out = extract(np.full(shape, 9, np.uint8), crop, 32)
    assert out.shape == (32, 32, 3) and (out == 9).all()


def test_a_picture_narrower_than_a_block_is_sampled_without_blocks():
    tall = np.repeat(np.arange(250, dtype=np.uint8), 2)[:, None, None].repeat(3, 1).repeat(3, 2)
    out = extract(tall, Crop(1, 300, 64), 16)
    expected = (300 + (np.arange(16) - 7.5) * 4) / 2
    np.testing.assert_allclose(out, np.broadcast_to(expected[:, None, None], out.shape), atol=1)


@pytest.mark.parametrize(
    "image, crop",
    [
        (np.zeros((9, 9), np.uint8), Crop(4, 4, 4)),
        (np.zeros((9, 9, 3), np.float32), Crop(4, 4, 4)),
        (np.zeros((0, 9, 3), np.uint8), Crop(4, 4, 4)),
        (np.zeros((9, 9, 3), np.uint8), Crop(np.nan, 4, 4)),
        (np.zeros((9, 9, 3), np.uint8), Crop(4, 4, 0)),
    ],
)
def test_extract_names_what_is_wrong(image, crop):
    with pytest.raises(ValueError, match="expected a"):
        extract(image, crop, 16)
