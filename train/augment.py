"""Augmentation: labels on the host, pixels in batches on the device.

`draw` picks the parameters of a batch and moves the labels with them (numpy);
`apply` turns packed pictures into network inputs (`keras.ops`, any backend,
inside the compiled training step).  Both sides share one affine, so labels and
pixels cannot drift apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from keras import ops

from asmnet.core import Scheme, mirror_pose, rotate_pose
from asmnet.train.tensors import Tensor

__all__ = ["MILD", "MODERN", "PAPER", "STURDY", "Augmentation", "apply", "draw"]


@dataclass(frozen=True)
class Augmentation:
    """How far each parameter strays; uniform in ±value unless said otherwise.

    Geometry: `rotation` in degrees, `scale` as log-ratio and `shift` in crop
    sides (the box jitter of detectors and trackers), `mirror` probability.
    Photometry: `brightness` in units of the [-1, 1] input, `contrast` and
    `color` as log-gains (all channels, each channel); `gray`, `blur`, `dim` (light that
    falls to as little as `DIMMEST`) and `occlusion` probabilities, `noise` the largest
    standard deviation.
    """

    rotation: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    mirror: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    color: float = 0.0
    gray: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    dim: float = 0.0
    occlusion: float = 0.0


DIMMEST = 0.15  # of the light of the picture

PAPER = Augmentation(brightness=0.25, contrast=0.3, color=0.1)
MODERN = Augmentation(
    rotation=30.0,
    scale=0.15,
    shift=0.06,
    mirror=0.5,
    brightness=0.25,
    contrast=0.35,
    color=0.12,
    gray=0.1,
    blur=0.2,
    noise=0.06,
    occlusion=0.3,
)

MILD = Augmentation(
    rotation=15.0,
    scale=0.12,
    shift=0.05,
    mirror=0.5,
    brightness=0.15,
    contrast=0.2,
    color=0.08,
    gray=0.05,
    blur=0.15,
    noise=0.03,
    occlusion=0.15,
)

# As mild, but for heads that tilt as far as a crop stays upright, dusk, and hands before faces.
STURDY = replace(MILD, rotation=30.0, dim=0.15, occlusion=0.3)


def draw(
    rng: np.random.Generator,
    points: np.ndarray,
    smoothed: np.ndarray,
    pose: np.ndarray,
    scheme: Scheme,
    strength: Augmentation,
    pack: int,
    size: int,
    margin: float,
    weights: np.ndarray | None = None,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Pick augmentations for a batch and move its labels.

    Args:
        points, smoothed: (B, N, 2) labels and ASM targets, in units of the packed square.
        pose: (B, 3) degrees or NaN.
        pack, size: sides of packed picture and network input in pixels.
        margin: of the crop around the (turned) landmarks' box.
        weights: (B, N) how much each point counts; None: all in full.

    Returns:
        parameters: small float32 arrays for `apply`, one row a picture.
        targets: "landmarks" and "smoothed" (B, 2 N) crop units, "pose" (B, 3), "weights"
            (B, N), float32.
    """
    count = len(points)

    def spread(value: float, *shape: int) -> np.ndarray:
        return rng.uniform(-value, value, (count, *shape))

    angle = spread(strength.rotation)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turn = np.stack([np.stack([c, -s], -1), np.stack([s, c], -1)], -2)  # clockwise
    flip = rng.random(count) < strength.mirror
    linear = turn * np.where(flip, -1.0, 1.0)[:, None, None] ** np.array([1, 0])
    moved, moved_smooth = (np.einsum("bij,bnj->bni", linear, p) for p in (points, smoothed))
    moved[flip] = moved[flip][:, scheme.mirror]
    moved_smooth[flip] = moved_smooth[flip][:, scheme.mirror]
    weights = np.ones(points.shape[:2]) if weights is None else weights
    weights = np.where(flip[:, None], weights[:, scheme.mirror], weights)

    # The runtime crops around the landmarks' upright box, whatever their tilt.
    low, high = moved.min(axis=1), moved.max(axis=1)
    side = margin * (high - low).max(axis=1) * np.exp(spread(strength.scale))
    centre = (low + high) / 2 + side[:, None] * spread(strength.shift, 2)

    def to_crop(p: np.ndarray) -> np.ndarray:
        return ((p - centre[:, None]) / side[:, None, None]).reshape(count, -1).astype(np.float32)

    known = ~np.isnan(pose).any(axis=-1)
    turned = np.where(flip[:, None], mirror_pose(pose), pose)
    turned[known] = rotate_pose(turned[known], angle[known])

    # Crop pixel -> packed pixel:  pack · linear⁻¹ (side · u + centre) + (pack - 1) / 2.
    inverse = np.linalg.inv(linear)
    step = inverse * (side * pack / size)[:, None, None]
    offset = pack * np.einsum("bij,bj->bi", inverse, centre) + (pack - 1) / 2
    offset -= step.sum(axis=-1) * (size - 1) / 2
    zero = np.zeros((count, 1))
    affine = np.concatenate(
        [step[:, 0], offset[:, :1], step[:, 1], offset[:, 1:], zero, zero], axis=1
    )

    covered = rng.random(count) < strength.occlusion
    extent = rng.uniform(0.1, 0.45, (count, 2)) * covered[:, None]
    corner = rng.uniform(-0.1, 0.9, (count, 2))
    gain = np.exp(spread(strength.contrast, 1) + spread(strength.color, 3))
    gray = rng.random(count) < strength.gray
    bias = spread(strength.brightness, 1) + spread(strength.color, 3) / 2
    # Light scales the distance from black, which is -1.
    light = DIMMEST ** (rng.random(count) * (rng.random(count) < strength.dim))[:, None]
    mix = np.where(gray[:, None, None], 1 / 3, np.eye(3)) * (light * gain)[:, None, :]
    parameters = {
        "affine": affine,
        "mix": mix,
        "bias": light * (bias + 1) - 1,
        "blur": rng.random(count) * (rng.random(count) < strength.blur),
        "noise": rng.uniform(0, max(strength.noise, 1e-9), count),
        "seed": rng.uniform(0, 1000, count),
        "occluder": np.concatenate([corner, corner + extent, spread(1.0, 3)], axis=1),
    }
    targets = {
        "landmarks": to_crop(moved),
        "smoothed": to_crop(moved_smooth),
        "pose": turned,
        "weights": weights,
    }
    return (
        {key: np.asarray(value, np.float32) for key, value in parameters.items()},
        {key: np.asarray(value, np.float32) for key, value in targets.items()},
    )


def apply(images: Tensor, parameters: dict[str, Tensor], size: int) -> Tensor:
    """Crop, light, blur, occlude: packed uint8 pictures to network inputs.

    Args:
        images: (B, P, P, 3) uint8 RGB.
        parameters: from `draw`.
        size: output side.

    Returns:
        (B, size, size, 3) float32 in about [-1, 1].
    """
    x = ops.cast(images, "float32") / 127.5 - 1.0
    x = ops.image.affine_transform(
        x,
        parameters["affine"],
        interpolation="bilinear",
        fill_mode="nearest",
        data_format="channels_last",
    )[:, :size, :size]

    def per_picture(name: str) -> Tensor:
        value = parameters[name]
        return ops.reshape(value, (-1, 1, 1, value.shape[-1] if len(value.shape) > 1 else 1))

    soft = ops.average_pool(x, 5, strides=1, padding="same")
    x = x + per_picture("blur") * (soft - x)
    # Gray-ness, contrast and colour are one 3 x 3 matrix a picture.
    flat = ops.matmul(ops.reshape(x, (-1, size * size, 3)), parameters["mix"])
    x = ops.clip(ops.reshape(flat, (-1, size, size, 3)) + per_picture("bias"), -1.0, 1.0)

    # White noise from a hash of pixel position and a drawn seed: no random state to
    # carry through the backends, and the same picture from the same draw.
    grid = ops.reshape(ops.arange(size * size, dtype="float32"), (1, size, size, 1))
    phase = ops.sin(grid * 12.9898 + per_picture("seed")) * 43758.547
    uniform = phase - ops.floor(phase) - 0.5
    x = x + per_picture("noise") * 3.46 * uniform

    line = (ops.arange(size, dtype="float32") + 0.5) / size
    box = parameters["occluder"]
    across = ops.logical_and(line >= box[:, 0:1], line < box[:, 2:3])
    down = ops.logical_and(line >= box[:, 1:2], line < box[:, 3:4])
    inside = ops.logical_and(across[:, None, :, None], down[:, :, None, None])
    return ops.where(inside, ops.reshape(box[:, 4:7], (-1, 1, 1, 3)), x)
