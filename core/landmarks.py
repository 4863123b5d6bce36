"""Landmark schemes: iBUG's 68 points (300-W) and WFLW's 98.

"Left" and "right" in group names are the *subject's*; the subject's right eye
is on the left of the picture.  Mirroring a picture swaps the two, so a mirrored
face takes its points in the order `Scheme.mirror`.

Sources: Sagonas et al., "300 Faces In-The-Wild Challenge" (2016) and
https://ibug.doc.ic.ac.uk/resources/300-W/; Wu et al., "Look at Boundary" (CVPR
2018), https://wywu.github.io/projects/LAB/WFLW.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

__all__ = ["IBUG68", "SCHEMES", "Scheme", "WFLW98", "to_scheme", "wflw98_to_ibug68"]

Edges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Scheme:
    """A set of landmarks in a fixed order.

    Attributes:
        name: the name written into model contracts.
        count: number of points N.
        groups: indices of each face part, in drawing order.
        mirror: (N,) int; `points[mirror]` reorders the points of a mirrored face.
        outer_eyes: indices of the outer eye corners, (subject's right, left);
            their distance is the inter-ocular normaliser of the NME.
        edges: pairs of indices to join when drawing.
    """

    name: str
    count: int
    groups: Mapping[str, tuple[int, ...]]
    mirror: np.ndarray
    outer_eyes: tuple[int, int]
    edges: Edges

    def interocular(self, points: np.ndarray) -> np.ndarray:
        """Distance between the outer eye corners.

        Args:
            points: (..., N, 2) in any unit.

        Returns:
            (...) in the same unit.
        """
        right, left = self.outer_eyes
        return np.linalg.norm(points[..., right, :] - points[..., left, :], axis=-1)

    def eyes_angle(self, points: np.ndarray) -> float:
        """Degrees by which the line of the outer eye corners is turned clockwise.

        Args:
            points: (N, 2) in any unit, y down.
        """
        right, left = self.outer_eyes
        x, y = points[left] - points[right]
        return float(np.degrees(np.arctan2(y, x)))


def _line(first: int, last: int, closed: bool = False) -> Edges:
    edges = tuple((i, i + 1) for i in range(first, last))
    return (*edges, (last, first)) if closed else edges


def _mirror(count: int, *pairs: tuple[int, int]) -> np.ndarray:
    order = np.arange(count)
    for a, b in pairs:
        order[a], order[b] = b, a
    order.setflags(write=False)
    return order


def _span(first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1))


IBUG68 = Scheme(
    name="ibug68",
    count=68,
    groups=MappingProxyType(
        {
            "jaw": _span(0, 16),
            "right_brow": _span(17, 21),
            "left_brow": _span(22, 26),
            "nose": _span(27, 35),
            "right_eye": _span(36, 41),
            "left_eye": _span(42, 47),
            "mouth": _span(48, 67),
        }
    ),
    mirror=_mirror(
        68,
        *((i, 16 - i) for i in range(8)),
        *((17 + i, 26 - i) for i in range(5)),
        (31, 35),
        (32, 34),
        *((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)),
        *((48, 54), (49, 53), (50, 52), (55, 59), (56, 58)),
        *((60, 64), (61, 63), (65, 67)),
    ),
    outer_eyes=(36, 45),
    edges=(
        *_line(0, 16),
        *_line(17, 21),
        *_line(22, 26),
        *_line(27, 30),
        *_line(31, 35),
        *_line(36, 41, closed=True),
        *_line(42, 47, closed=True),
        *_line(48, 59, closed=True),
        *_line(60, 67, closed=True),
    ),
)

WFLW98 = Scheme(
    name="wflw98",
    count=98,
    groups=MappingProxyType(
        {
            "jaw": _span(0, 32),
            "right_brow": _span(33, 41),
            "left_brow": _span(42, 50),
            "nose": _span(51, 59),
            "right_eye": (*_span(60, 67), 96),
            "left_eye": (*_span(68, 75), 97),
            "mouth": _span(76, 95),
        }
    ),
    mirror=_mirror(
        98,
        *((i, 32 - i) for i in range(16)),
        *((33 + i, 46 - i) for i in range(5)),
        *((38 + i, 50 - i) for i in range(4)),
        (55, 59),
        (56, 58),
        *((60 + i, 72 - i) for i in range(5)),
        *((65, 75), (66, 74), (67, 73)),
        *((76, 82), (77, 81), (78, 80), (83, 87), (84, 86)),
        *((88, 92), (89, 91), (93, 95)),
        (96, 97),
    ),
    outer_eyes=(60, 72),
    edges=(
        *_line(0, 32),
        *_line(33, 41, closed=True),
        *_line(42, 50, closed=True),
        *_line(51, 54),
        *_line(55, 59),
        *_line(60, 67, closed=True),
        *_line(68, 75, closed=True),
        *_line(76, 87, closed=True),
        *_line(88, 95, closed=True),
    ),
)

SCHEMES: Mapping[str, Scheme] = MappingProxyType({s.name: s for s in (IBUG68, WFLW98)})

# Every second jaw point, the upper edge of each brow, and four of each eye's
# eight lid points (corners shared): the 98-point layout drawn through the 68.
_WFLW98_TO_IBUG68 = (
    *range(0, 33, 2),
    *range(33, 38),
    *range(42, 47),
    *range(51, 60),
    *(60, 61, 63, 64, 65, 67),
    *(68, 69, 71, 72, 73, 75),
    *range(76, 96),
)


def wflw98_to_ibug68(points: np.ndarray) -> np.ndarray:
    """Pick the 68 iBUG points out of WFLW's 98.

    Args:
        points: (..., 98, 2).

    Returns:
        (..., 68, 2), a copy.
    """
    if points.shape[-2:] != (98, 2):
        raise ValueError(f"expected points of shape (..., 98, 2), got {points.shape}")
    return points[..., _WFLW98_TO_IBUG68, :]


def to_scheme(points: np.ndarray, scheme: Scheme) -> np.ndarray:
    """Landmarks (..., N, 2) in `scheme`: as they are, or 98 points reduced to 68."""
    return points if points.shape[-2] == scheme.count else wflw98_to_ibug68(points)
