"""The wall that the clip's camera roams over, and the people along it.

Each studio picture is laid on one large canvas; between the pictures their own plain
backdrop continues, so that there is no edge to see.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from tools.sample_clip.person import Person, backdrop, warp

__all__ = ["Room"]

_PIXELS = 240  # of the canvas, for one face: the resolution of the pictures
_MARGIN = (3.8, 2.0)  # of the canvas beside and above the pictures, in faces
_FEATHER = 40  # canvas pixels over which a picture fades into the wall at its sides and top
_HEM = 12  # the same at its bottom, where shirt meets shirt


@dataclass
class _Place:
    """Where a person's picture lies on the canvas."""

    matrix: np.ndarray  # (2, 3) picture to canvas pixels
    corner: np.ndarray  # (2,) left, top of the picture on the canvas
    alpha: np.ndarray  # (h, w, 1) float32
    gain: np.ndarray  # (3,) float32: makes this backdrop as bright as the others
    shown: float = -1.0  # the smile that the canvas holds


class Room:
    """A canvas with people on it.

    Attributes:
        canvas: (H, W, 3) uint8 BGR.
        people: by id.
        to_canvas: (3, 3) float64 from world (faces) to canvas pixels.
        to_world: for each person, (3, 3) float64 from picture pixels to world.
    """

    def __init__(self, people: dict[str, tuple[float, Person]], seed: int) -> None:
        self.people = {name: person for name, (_, person) in people.items()}
        self.to_world = {name: _to_world(person.box, x) for name, (x, person) in people.items()}
        corners = np.concatenate(
            [_corners(self.to_world[name], person.picture) for name, person in self.people.items()]
        )
        low, high = corners.min(axis=0) - _MARGIN, corners.max(axis=0) + _MARGIN
        width, height = np.ceil((high - low) * _PIXELS).astype(int)
        self.to_canvas = np.diag([_PIXELS, _PIXELS, 1.0])
        self.to_canvas[:2, 2] = -low * _PIXELS
        tone = np.mean([backdrop(p.picture) for p in self.people.values()], axis=0)
        self._places = {
            name: _place(
                self.to_canvas @ self.to_world[name],
                person.picture,
                tone / backdrop(person.picture),
            )
            for name, person in self.people.items()
        }
        self._wall = _wall(self._laid_out(), width, height, np.random.default_rng(seed))
        self.canvas = np.clip(self._wall + 0.5, 0, 255).astype(np.uint8)
        for name in self.people:
            self.show(name, 0.0)

    def _laid_out(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Corner and float32 picture at canvas scale, for each person."""
        return [
            (place.corner, _scaled(self.people[name].picture, place))
            for name, place in self._places.items()
        ]

    def show(self, name: str, smile: float) -> None:
        """Put the person with 0..1 of a smile on the canvas."""
        place = self._places[name]
        if place.shown == smile:
            return
        (left, top), (h, w) = place.corner, place.alpha.shape[:2]
        behind = self._wall[top : top + h, left : left + w]
        picture = _scaled(self.people[name].smiling(smile), place)
        mixed = behind + place.alpha * (picture - behind)
        self.canvas[top : top + h, left : left + w] = np.clip(mixed + 0.5, 0, 255)
        place.shown = smile


def _to_world(box: np.ndarray, x: float) -> np.ndarray:
    """(3, 3) from picture pixels to the world, where the box is a unit square about (x, 0)."""
    (left, top, right, bottom), side = box, box[2] - box[0]
    return np.array(
        [
            [1 / side, 0, x - (left + right) / 2 / side],
            [0, 1 / side, -(top + bottom) / 2 / side],
            [0, 0, 1],
        ]
    )


def _corners(matrix: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """(2, 2): where an upright matrix (3, 3) takes the picture's first and last pixel."""
    h, w = picture.shape[:2]
    return np.array([[0, 0, 1], [w - 1, h - 1, 1]]) @ matrix[:2].T


def _place(matrix: np.ndarray, picture: np.ndarray, gain: np.ndarray) -> _Place:
    first, last = _corners(matrix, picture)
    corner = np.ceil(first).astype(int)
    size = np.floor(last).astype(int) - corner + 1
    x, y = np.arange(size[0]), np.arange(size[1])
    across = np.minimum(x, size[0] - 1 - x) / _FEATHER
    down = np.minimum(y / _FEATHER, (size[1] - 1 - y) / _HEM)
    s = np.clip(np.minimum(across[None], down[:, None]), 0, 1)
    alpha = (s * s * (3 - 2 * s)).astype(np.float32)[..., None]
    return _Place(matrix[:2], corner, alpha, gain.astype(np.float32))


def _scaled(picture: np.ndarray, place: _Place) -> np.ndarray:
    matrix = place.matrix.copy()
    matrix[:, 2] -= place.corner
    h, w = place.alpha.shape[:2]
    return place.gain * warp(picture, matrix, (h, w)).astype(np.float32)


def _wall(
    pictures: list[tuple[np.ndarray, np.ndarray]],
    width: int,
    height: int,
    random: np.random.Generator,
) -> np.ndarray:
    """(height, width, 3) float32: the backdrops continued, plaster, light from a window."""
    border = np.zeros((height, width, 3), np.float32)
    known = np.zeros((height, width), np.float32)
    bare = np.ones((height, width), np.float32)
    for (left, top), picture in pictures:
        h, w = picture.shape[:2]
        # A frame without its bottom: there is the shirt.
        frame = np.zeros((h, w), bool)
        frame[: int(0.65 * h)] = True
        frame[8:, 8:-8] = False
        place = np.s_[top : top + h, left : left + w]
        known[place][frame] = 1
        border[place][frame] = cv2.GaussianBlur(picture, (0, 0), 4)[frame]
        bare[top:, left : left + w] = 0
    quarter = (width // 4, height // 4)
    weight = cv2.resize(known, quarter, interpolation=cv2.INTER_AREA)[..., None]
    colour = cv2.resize(border, quarter, interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(_filled(colour / np.maximum(weight, 1e-6), weight), (0, 0), 5)
    wall = cv2.resize(smooth, (width, height), interpolation=cv2.INTER_CUBIC)
    # Plaster fades out around the people: no picture's edge shows.
    rough = cv2.GaussianBlur(cv2.erode(bare, np.ones((61, 61))), (0, 0), 50)[..., None]
    wall *= 1 + rough * (_plaster(random, height, width) + _window(pictures, width, height))
    for corner, picture in pictures:
        _continue_shirt(wall, corner, picture)
    return wall


def _filled(colour: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Fill in the pixels of weight 0 smoothly from the others, coarse to fine."""
    h, w = colour.shape[:2]
    if min(h, w) <= 2:
        mean = (colour * weight).sum(axis=(0, 1)) / weight.sum()
        return colour * weight + mean * (1 - weight)
    less = cv2.pyrDown(weight)[..., None]
    coarse = cv2.pyrDown(colour * weight) / np.maximum(less, 1e-6)
    behind = cv2.pyrUp(_filled(coarse, np.minimum(4 * less, 1)), dstsize=(w, h))
    return colour * weight + behind * (1 - weight)


def _continue_shirt(wall: np.ndarray, corner: np.ndarray, picture: np.ndarray) -> None:
    """Let the body go on below the picture, for a rolled camera looks under its edge."""
    (left, top), (h, w) = corner, picture.shape[:2]
    below = wall[top + h - 2 * _FEATHER :, left : left + w]
    bottom = picture[-8:].mean(axis=0)
    body = np.abs(bottom - below[0]).max(axis=1) > 12
    # All shirt, also under a bare neck: the picture's feather then closes the neckline.
    shirt = np.percentile(bottom[body], 75, axis=0) if body.any() else bottom.mean(axis=0)
    columns = np.flatnonzero(body) if body.any() else np.arange(w)
    x = np.arange(w)
    s = np.clip(np.minimum(x - columns[0], columns[-1] - x) / _FEATHER, 0, 1)[:, None]
    below += s * s * (3 - 2 * s) * (shirt - below)


def _plaster(random: np.random.Generator, height: int, width: int) -> np.ndarray:
    """(height, width, 1) float32 about 0: uneven paint, in four octaves."""
    total = np.zeros((height, width), np.float32)
    for cell, strength in ((96, 0.011), (32, 0.007), (10, 0.006), (4, 0.009)):
        grid = random.standard_normal((height // cell + 2, width // cell + 2)).astype(np.float32)
        total += strength * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    return total[..., None]


def _window(pictures: list[tuple[np.ndarray, np.ndarray]], width: int, height: int) -> np.ndarray:
    """(height, width, 1) float32: sunlight through panes, on the first stretch of bare wall."""
    light = np.zeros((height, width), np.float32)
    if len(pictures) > 1:
        (first, picture), (second, _) = pictures[:2]
        x0 = (first[0] + picture.shape[1] + second[0]) // 2 - 250
        y0 = height // 2 - 420
        for column in range(3):
            for row in range(3):
                x, y = x0 + 150 * column, y0 + 190 * row + 40 * column
                corners = [(x, y), (x + 125, y + 33), (x + 125, y + 198), (x, y + 165)]
                cv2.fillConvexPoly(light, np.array(corners, np.int32), 0.14)
    return cv2.GaussianBlur(light, (0, 0), 9)[..., None]
