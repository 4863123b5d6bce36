"""The Active Shape Model behind ASMNet's loss (Cootes et al., 1995; the paper's Eqs. 1-5).

Shapes are aligned to a common frame by generalised Procrustes analysis; PCA of
the aligned shapes gives  S ≈ mean + P b.  The *ASM operator* projects a shape on
the model, clamps each b_i to ±3·sqrt(lambda_i) and puts the result back where
the shape was: a smoothed target that is easier to learn than the labels.

The operator commutes with similarities and (the model being trained on mirrored
shapes too) with mirroring.  So training smooths each labelled shape once and
moves the result along with every augmentation.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from keras import ops

from asmnet.core import SCHEMES, Scheme, UserError, atomic_path
from asmnet.train.tensors import Tensor

__all__ = ["ShapeModel", "align"]

CLAMP = 3.0  # standard deviations
FLIP = np.array([-1, 1], np.float32)


def align(shapes: Tensor, target: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor], Tensor]:
    """Similarity that brings each shape closest to a target, in closed form.

    With points as complex numbers, centred, the least-squares similarity is the
    single factor  a = <target, shape> / <shape, shape>  (Umeyama, 1991, without
    reflection).

    Args:
        shapes: (B, N, 2) tensor or array.
        target: (N, 2) or (B, N, 2).

    Returns:
        aligned: (B, N, 2), centred on the target's centroid.
        factor: the real and the imaginary part of a, (B,) each.
        centroid: (B, 1, 2) of the shapes.
    """
    centroid = ops.mean(shapes, axis=-2, keepdims=True)
    target_centroid = ops.mean(target, axis=-2, keepdims=True)
    x, t = shapes - centroid, target - target_centroid
    power = ops.sum(ops.square(x), axis=(-2, -1))
    real = ops.sum(x * t, axis=(-2, -1)) / power
    imaginary = ops.sum(x[..., 0] * t[..., 1] - x[..., 1] * t[..., 0], axis=-1) / power
    return _multiply(x, real, imaginary) + target_centroid, (real, imaginary), centroid


def _multiply(points: Tensor, real: Tensor, imaginary: Tensor) -> Tensor:
    """Complex product of points (B, N, 2) with one number a face."""
    real, imaginary = real[..., None], imaginary[..., None]
    x, y = points[..., 0], points[..., 1]
    return ops.stack([real * x - imaginary * y, imaginary * x + real * y], axis=-1)


@dataclass(frozen=True)
class ShapeModel:
    """A linear model of face shape.

    Attributes:
        scheme: landmark scheme.
        mean: (N, 2) float32, centred, of unit root-mean-square radius.
        basis: (K, 2 N) float32, orthonormal rows: the paper's P, transposed.
        variance: (K,) float32 eigenvalues, descending.
    """

    scheme: Scheme
    mean: np.ndarray
    basis: np.ndarray
    variance: np.ndarray

    @classmethod
    def fit(cls, shapes: np.ndarray, scheme: Scheme, keep: float = 0.9) -> ShapeModel:
        """Fit to labelled shapes (M, N, 2) and their mirror images.

        Args:
            shapes: labelled points in any unit.
            scheme: their scheme.
            keep: fraction of the variance that the kept components explain.

        Raises:
            UserError: too few shapes.
        """
        if len(shapes) < 20:
            raise UserError(f"{len(shapes)} shapes are too few for a shape model; give 20 or more")
        shapes = np.asarray(shapes, np.float32)
        mirrored = shapes[:, scheme.mirror] * FLIP
        shapes = np.concatenate([shapes, mirrored])
        mean = _unit(shapes[0])
        for _ in range(10):  # converges in three or four
            aligned = np.asarray(ops.convert_to_numpy(align(shapes, mean)[0]))
            mean, previous = _unit(aligned.mean(axis=0)), mean
            # Averaging keeps the first shape's tilt; mirror symmetry defines upright.
            mean = _unit((mean + mean[scheme.mirror] * FLIP) / 2)
            if np.abs(mean - previous).max() < 1e-6:
                break
        aligned = np.asarray(ops.convert_to_numpy(align(shapes, mean)[0]), np.float64)
        deviations = (aligned - mean).reshape(len(aligned), -1)
        values, vectors = np.linalg.eigh(deviations.T @ deviations / len(deviations))
        values, vectors = values[::-1], vectors[:, ::-1]
        share = np.cumsum(values) / values.sum()
        count = int(np.searchsorted(share, keep)) + 1
        return cls(
            scheme,
            mean.astype(np.float32),
            np.ascontiguousarray(vectors[:, :count].T, np.float32),
            values[:count].astype(np.float32),
        )

    def parameters(self, shapes: Tensor) -> Tensor:
        """The unclamped b of shapes (B, N, 2): (B, K) in the units of `variance`."""
        aligned, _, _ = align(shapes, self.mean)
        flat = ops.reshape(aligned - self.mean, (-1, self.basis.shape[1]))
        return ops.matmul(flat, self.basis.T)

    def smooth(self, shapes: Tensor) -> Tensor:
        """The ASM operator on shapes (B, N, 2), in their own units and place."""
        shapes = ops.cast(shapes, "float32")
        _, (real, imaginary), centroid = align(shapes, self.mean)
        limit = CLAMP * np.sqrt(self.variance)
        b = ops.clip(self.parameters(shapes), -limit, limit)
        model = ops.reshape(ops.matmul(b, self.basis), (-1, *self.mean.shape)) + self.mean
        # 1 / a undoes the alignment.
        power = ops.square(real) + ops.square(imaginary)
        return _multiply(model, real / power, -imaginary / power) + centroid

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write as `.npz`."""
        with atomic_path(path) as temporary:
            np.savez_compressed(
                temporary,
                scheme=self.scheme.name,
                mean=self.mean,
                basis=self.basis,
                variance=self.variance,
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ShapeModel:
        """Read what `save` wrote.

        Raises:
            UserError: the file is missing or is no shape model.
        """
        try:
            with np.load(Path(path)) as data:
                scheme = SCHEMES[str(data["scheme"])]
                mean, basis, variance = (
                    np.asarray(data[key], np.float32) for key in ("mean", "basis", "variance")
                )
        except Exception as error:  # numpy raises whatever zipfile or zlib raised
            raise UserError(f"{path} is no shape model ({error}); train writes one") from error
        expected = ((scheme.count, 2), (variance.size, 2 * scheme.count))
        finite = all(np.isfinite(array).all() for array in (mean, basis, variance))
        if (mean.shape, basis.shape) != expected or not finite:
            raise UserError(
                f"{path} is no shape model of {scheme.count} points (mean {mean.shape}, basis "
                f"{basis.shape}, or numbers that are not finite); train writes one"
            )
        return cls(scheme, mean, basis, variance)


def _unit(shape: np.ndarray) -> np.ndarray:
    centred = shape - shape.mean(axis=0)
    return centred / np.sqrt(np.mean(np.sum(centred**2, axis=-1)))
