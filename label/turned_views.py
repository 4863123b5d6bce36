"""Turned views: a photographed face seen from other sides, with its pose known exactly.

The idea of 300W-LP (Zhu et al., "Face Alignment Across Large Poses", CVPR 2016) on the
478 points with depth of MediaPipe's face mesh: mesh the face and what surrounds it, turn
the mesh, draw it again with the picture as its texture.  Rings around the face's oval
continue it, first over the head and turning with it, then into the background, which stays.

What a turn hides is told by the drawn depth: such landmarks get the weight 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from asmnet.core import euler_from_rotation, rotation_from_euler

__all__ = ["MESH_POINTS", "Topology", "TurnedView", "turn"]

MESH_POINTS = 468  # without the irises, which lie on the eyes' own points
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
SIDES = (234, 454)  # before the ears
# Rings around the oval: scale about the face's middle, steps back in widths of the face,
# and whether they turn with the head.
RINGS = ((1.08, 0.12, True), (1.2, 0.4, True), (1.7, 0.5, False), (2.8, 0.5, False))
# A landmark counts as seen if no more than this, in widths of the face, lies before it.
HIDDEN = 0.04


@dataclass(frozen=True)
class TurnedView:
    """A drawn view.

    Attributes:
        image: (H, W, 3) uint8, as large as the picture.
        points: (N, 2) landmarks, picture pixels.
        seen: (N,) bool, False where the head itself hides the point.
        pose: (3,) degrees.
        valid: (H, W) bool, where the mesh was drawn.
    """

    image: np.ndarray
    points: np.ndarray
    seen: np.ndarray
    pose: np.ndarray
    valid: np.ndarray


class Topology:
    """The triangles, once for all faces: Delaunay's in the mean frontal face with its rings.

    Args:
        meshes: (M, 478, 3) of many faces: picture pixels and MediaPipe's depth.
        poses: (M, 3) degrees.
    """

    def __init__(self, meshes: np.ndarray, poses: np.ndarray) -> None:
        heads = [_to_head(m, p)[0] for m, p in zip(meshes, poses, strict=True)]
        flat = np.mean([h / _width(h) for h in heads], axis=0)
        corners = _with_rings(flat)[:, :2]
        low, high = corners.min(axis=0) - 1, corners.max(axis=0) + 1
        scale = 2000 / (high - low).max()
        at = ((corners - low) * scale).astype(np.float32)
        plane = cv2.Subdiv2D((0, 0, 2001, 2001))
        index = {}
        for i, (x, y) in enumerate(at):
            index[plane.insert((float(x), float(y)))] = i
        found = []
        for triangle in np.reshape(plane.getTriangleList(), (-1, 3, 2)):
            corner = [plane.findNearest((float(x), float(y)))[0] for x, y in triangle]
            if all(c in index for c in corner):
                found.append([index[c] for c in corner])
        self.triangles = np.asarray(found)


def turn(
    image: np.ndarray,
    mesh: np.ndarray,
    points: np.ndarray,
    pose: np.ndarray,
    target: np.ndarray,
    topology: Topology,
) -> TurnedView:
    """Draw a face in another pose.

    Args:
        image: (H, W, 3) uint8.
        mesh: (478, 3) MediaPipe's points of the face.
        points: (N, 2) its landmarks, picture pixels.
        pose: (3,) its yaw, pitch, roll in degrees.
        target: (3,) those wanted.
    """
    head, middle, rotation = _to_head(mesh, pose)
    width = _width(head)
    corners = _with_rings(head)
    before = _to_view(corners @ rotation.T, middle)
    wanted = rotation_from_euler(target)
    axis = np.array([0, 0, head[list(SIDES), 2].mean()])  # between the ears
    turned = (corners - axis) @ wanted.T + axis @ rotation.T
    after = _to_view(turned, middle)
    still = MESH_POINTS + len(OVAL) * sum(turns for *_, turns in RINGS)
    after[still:, :2] = before[still:, :2]
    after[still:, 2] = after[:still, 2].min() - width  # behind all
    top, depth_at = _draw(after, topology.triangles, image.shape[:2])
    drawn = _sample(image, before, after, topology.triangles, top)

    places = _lift(points, before, after, topology.triangles)
    column, row = np.rint(places[:, :2]).astype(int).T
    inside = (column >= 0) & (row >= 0) & (column < image.shape[1]) & (row < image.shape[0])
    front = np.full(len(points), np.inf)
    front[inside] = depth_at(row[inside], column[inside])
    seen = inside & (places[:, 2] >= front - HIDDEN * width)
    return TurnedView(
        drawn, places[:, :2], seen, euler_from_rotation(wanted), top.reshape(image.shape[:2]) >= 0
    )


def _to_head(mesh: np.ndarray, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points in head axes (x right, y up, z to the viewer) about their middle; it; rotation."""
    own = np.asarray(mesh[:MESH_POINTS], np.float64)
    middle = own.mean(axis=0)
    rotation = rotation_from_euler(pose)
    return ((own - middle) * (1, -1, -1)) @ rotation, middle, rotation


def _to_view(turned: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Picture pixels, and the depth towards the viewer."""
    return np.column_stack([turned[:, :2] * (1, -1) + middle[:2], turned[:, 2]])


def _width(head: np.ndarray) -> float:
    return float(np.ptp(head[list(SIDES), 0]))


def _with_rings(head: np.ndarray) -> np.ndarray:
    oval, width = head[list(OVAL)], _width(head)
    middle = oval.mean(axis=0) * (1, 1, 0)
    rings = [
        (oval - middle) * (scale, scale, 1) + middle - (0, 0, back * width)
        for scale, back, _ in RINGS
    ]
    return np.concatenate([head, *rings])


def _draw(
    corners: np.ndarray, triangles: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
    """The foremost triangle of each pixel (H · W, -1 where none), and a look-up of its depth."""
    order = np.argsort(corners[triangles, 2].mean(axis=1))  # from behind to the front
    top = np.full(shape, -1, np.float32)
    for i in order:
        place = np.rint(corners[triangles[i], :2] * 16).astype(np.int32)
        cv2.fillConvexPoly(top, place, float(i), shift=4)
    planes = _planes(corners[triangles][..., :2], corners[triangles][..., 2:])[..., 0]

    def depth_at(row: np.ndarray, column: np.ndarray) -> np.ndarray:
        which = top[row, column].astype(int)
        depth = (planes[which] * np.stack([column, row, np.ones_like(row)], axis=-1)).sum(axis=-1)
        return np.where(which >= 0, depth, -np.inf)

    return top.astype(np.int64).ravel(), depth_at


def _planes(corners: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(T, 3, D) coefficients of x, y and 1 that give `values` (T, 3, D) at `corners` (T, 3, 2)."""
    one = np.concatenate([corners, np.ones_like(corners[..., :1])], axis=-1)
    flat = np.abs(np.linalg.det(one)) < 1e-6
    one[flat] = np.eye(3)
    return np.linalg.solve(one, values)


def _sample(
    image: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    triangles: np.ndarray,
    top: np.ndarray,
) -> np.ndarray:
    """The picture through the mesh; where there is none, as it was."""
    height, width = image.shape[:2]
    row, column = np.divmod(np.arange(height * width), width)
    place = np.stack([column, row], axis=-1).astype(np.float64)
    planes = _planes(after[triangles][..., :2], before[triangles][..., :2])
    hit = top >= 0
    homogeneous = np.column_stack([place[hit], np.ones(hit.sum())])
    place[hit] = np.einsum("pk,pkd->pd", homogeneous, planes[top[hit]])
    x, y = (place[:, i].reshape(height, width).astype(np.float32) for i in range(2))
    return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _lift(
    points: np.ndarray, before: np.ndarray, after: np.ndarray, triangles: np.ndarray
) -> np.ndarray:
    """Where landmarks go: by their place in the foremost triangle that held them."""
    corners = before[triangles]
    one = np.concatenate([corners[..., :2], np.ones_like(corners[..., :1])], axis=-1)
    flat = np.abs(np.linalg.det(one)) < 1e-6
    one[flat] = np.eye(3)
    wanted = np.column_stack([points, np.ones(len(points))])
    share = np.einsum("nk,tkc->ntc", wanted, np.linalg.inv(one))  # barycentric
    share[:, flat] = -9
    holds = share.min(axis=-1)
    depth = (share * corners[..., 2]).sum(axis=-1)
    best = np.where(holds >= -1e-6, depth, -np.inf).argmax(axis=1)
    lost = ~(holds >= -1e-6).any(axis=1)
    best[lost] = holds[lost].argmax(axis=1)
    return np.einsum("nc,ncd->nd", share[np.arange(len(points)), best], after[triangles[best]])
