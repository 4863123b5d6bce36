"""The shape model and the ASM operator against a plain numpy transcription of Eqs. 1-5."""

import numpy as np
import pytest
from keras import ops

from asmnet.core import IBUG68, UserError
from asmnet.train.shape_model import ShapeModel, align


def numpy(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def face_shapes(rng, count):
    """Face-like shapes: a fixed symmetric layout under a few modes, turned, scaled and moved."""
    angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    base = np.stack([np.sin(angle), -np.cos(angle)], axis=-1)
    base = (base + base[IBUG68.mirror] * [-1, 1]) / 2 + rng.normal(0, 0.01, (68, 2))
    modes = rng.normal(0, 0.02, (4, 68, 2))
    shapes = base + np.einsum("bk,knd->bnd", rng.normal(size=(count, 4)), modes)
    return np.stack([similarity(s, *rng.uniform(-1, 1, 4)) for s in shapes]).astype(np.float32)


def similarity(shape, turn, grow, x, y):
    c, s = np.cos(turn), np.sin(turn)
    return np.exp(grow) * shape @ np.array([[c, s], [-s, c]]) + (x, y)


def asm_operator(shape, model):
    """Eqs. 1-5: align to the mean (Procrustes by SVD), project, clamp, rebuild, align back."""
    centre = shape.mean(axis=0)
    x = shape - centre
    u, d, vt = np.linalg.svd(x.T @ model.mean)
    sign = np.diag([1, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ sign @ vt
    scale = np.trace(np.diag(d) @ sign) / (x**2).sum()
    aligned = scale * x @ rotation
    b = model.basis @ (aligned - model.mean).ravel()
    limit = 3 * np.sqrt(model.variance)
    b = np.minimum(np.maximum(b, -limit), limit)
    rebuilt = model.mean + (model.basis.T @ b).reshape(68, 2)
    return rebuilt @ rotation.T / scale + centre


@pytest.fixture
def model():
    return ShapeModel.fit(face_shapes(np.random.default_rng(1), 200), IBUG68, keep=0.9)


def test_operator_equals_the_transcription(model, rng):
    shapes = face_shapes(rng, 20) + rng.normal(0, 0.2, (20, 68, 2)).astype(np.float32)
    expected = np.stack([asm_operator(s.astype(np.float64), model) for s in shapes])
    np.testing.assert_allclose(numpy(model.smooth(shapes)), expected, atol=2e-4)


def test_clamping_happens(model):
    deviation = np.sqrt(model.variance[0])
    wild = np.float32(model.mean + 6 * deviation * model.basis[0].reshape(68, 2))[None]
    free = numpy(model.parameters(wild))[0, 0]
    clamped = numpy(model.parameters(model.smooth(wild)))[0, 0]
    assert free > 5 * deviation
    assert clamped == pytest.approx(3 * deviation, rel=0.05)


def test_operator_moves_along_with_the_face(model, rng):
    """Why a smoothed label may be augmented like the label itself."""
    shapes = face_shapes(rng, 5)
    moved = np.stack([similarity(s, 0.7, -0.5, 3, -2) for s in shapes]).astype(np.float32)
    smooth = numpy(model.smooth(shapes))
    expected = np.stack([similarity(s, 0.7, -0.5, 3, -2) for s in smooth])
    np.testing.assert_allclose(numpy(model.smooth(moved)), expected, atol=1e-3)
    flipped = shapes[:, IBUG68.mirror] * np.float32([-1, 1])
    np.testing.assert_allclose(
        numpy(model.smooth(flipped)), smooth[:, IBUG68.mirror] * [-1, 1], atol=1e-3
    )


def test_model_shapes_pass_unchanged(model, rng):
    shapes = face_shapes(rng, 10)
    once = numpy(model.smooth(shapes))
    np.testing.assert_allclose(numpy(model.smooth(once)), once, atol=2e-3)


def test_alignment_finds_the_similarity(rng):
    shapes = face_shapes(rng, 3)
    moved = np.stack([similarity(s, 0.4, 0.3, 5, -7) for s in shapes]).astype(np.float32)
    aligned, (real, imaginary), centroid = align(moved, shapes)
    np.testing.assert_allclose(numpy(aligned), shapes, atol=1e-4)
    np.testing.assert_allclose(numpy(centroid)[:, 0], moved.mean(axis=1), atol=1e-4)
    np.testing.assert_allclose(numpy(real), np.exp(-0.3) * np.cos(0.4), atol=1e-4)
    np.testing.assert_allclose(numpy(imaginary), -np.exp(-0.3) * np.sin(0.4), atol=1e-4)


def test_the_mean_shape_is_centred_upright_and_of_unit_size(model):
    np.testing.assert_allclose(model.mean.mean(axis=0), 0, atol=1e-5)
    assert np.mean(np.sum(model.mean**2, axis=-1)) == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(model.mean[IBUG68.mirror] * [-1, 1], model.mean, atol=1e-4)


def test_components_are_orthonormal_and_sorted(model):
    gram = model.basis @ model.basis.T
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-4)
    assert (np.diff(model.variance) <= 0).all() and (model.variance > 0).all()


def test_a_components_variance_is_that_of_the_faces_and_their_mirror_images(rng):
    shapes = face_shapes(rng, 200)
    model = ShapeModel.fit(shapes, IBUG68, keep=0.99)
    assert len(model.variance) > 2
    both = np.concatenate([shapes, shapes[:, IBUG68.mirror] * np.float32([-1, 1])])
    found = np.mean(numpy(model.parameters(both)) ** 2, axis=0)
    np.testing.assert_allclose(found, model.variance, rtol=1e-3)


@pytest.mark.parametrize("keep", [0.5, 0.9, 0.99])
def test_as_few_components_as_explain_the_wanted_variance(rng, keep):
    shapes = face_shapes(rng, 200)
    shapes += rng.normal(0, 0.01, shapes.shape).astype(np.float32)
    kept = ShapeModel.fit(shapes, IBUG68, keep)
    every = ShapeModel.fit(shapes, IBUG68, keep=1 - 1e-6)
    share = np.cumsum(every.variance) / every.variance.sum()
    count = len(kept.variance)
    assert share[count - 1] >= keep
    assert count == 1 or share[count - 2] < keep


def test_the_papers_share_of_the_variance_is_the_default(rng):
    shapes = face_shapes(rng, 200) + rng.normal(0, 0.01, (200, 68, 2)).astype(np.float32)
    default, chosen = ShapeModel.fit(shapes, IBUG68), ShapeModel.fit(shapes, IBUG68, keep=0.9)
    assert len(default.variance) == len(chosen.variance)


def test_save_and_load(model, tmp_path):
    model.save(tmp_path / "shape.npz")
    again = ShapeModel.load(tmp_path / "shape.npz")
    np.testing.assert_array_equal(again.basis, model.basis)
    assert again.scheme is IBUG68
    np.testing.assert_array_equal(again.mean, model.mean)
    np.testing.assert_array_equal(again.variance, model.variance)


@pytest.mark.parametrize("keep", [0, 30, 2000, -300])
def test_a_damaged_file_is_named(model, tmp_path, keep):
    model.save(tmp_path / "shape.npz")
    data = (tmp_path / "shape.npz").read_bytes()
    (tmp_path / "shape.npz").write_bytes(data[:keep])
    with pytest.raises(UserError, match=r"shape\.npz is no shape model"):
        ShapeModel.load(tmp_path / "shape.npz")


@pytest.mark.parametrize(
    "change",
    [
        {"scheme": "ibug5"},
        {"mean": np.zeros((68, 3))},
        {"basis": np.zeros((2, 100))},
        {"variance": np.array([np.nan])},
        {"variance": np.array(["a", "b"])},
        {"mean": np.array([None])},
    ],
)
def test_arrays_that_fit_no_scheme_are_named(model, tmp_path, change):
    arrays = {key: getattr(model, key) for key in ("mean", "basis", "variance")}
    np.savez(tmp_path / "shape.npz", **({"scheme": "ibug68"} | arrays | change))
    with pytest.raises(UserError, match=r"shape\.npz is no shape model"):
        ShapeModel.load(tmp_path / "shape.npz")


def test_too_few_shapes(rng):
    with pytest.raises(UserError, match="19"):
        ShapeModel.fit(face_shapes(rng, 19), IBUG68)
    assert len(ShapeModel.fit(face_shapes(rng, 20), IBUG68).basis)
