"""One network call: a crop of a picture in, landmarks and head pose out."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, overload

import cv2
import numpy as np

from asmnet import models
from asmnet.core import ANGLES, Crop, Event, ModelSpec, UserError, extract, read_spec, rotate_pose
from asmnet.edge_runtime.crops import OPENCV, next_crop
from asmnet.edge_runtime.detector import FaceDetector
from asmnet.edge_runtime.images import ImageLike, as_bgr
from asmnet.edge_runtime.interpreter import Network, require_numbers

__all__ = ["Face", "Landmarker", "input_table"]


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a picture.

    Attributes:
        landmarks: (N, 2) float32 picture pixels.
        pose: (3,) float32 degrees yaw, pitch, roll, as seen in the picture.
        crop: the square that the network saw.
        score: the detector's latest confidence, 0..1; None if it was not asked.
        id: the same number for the same face, from frame to frame; None outside tracking.
        position: (3,) mm from the camera: x to the picture's right, y down, z ahead; this and the
            following only from a `FaceTracker`.
        eyes: (2,) openness of the subject's right and left eye, 0..1, relative to the person.
        mouth: its openness, 0..1.
        events: blinks and yawns that ended with this frame.
    """

    landmarks: np.ndarray
    pose: np.ndarray
    crop: Crop
    score: float | None = None
    id: int | None = None
    position: np.ndarray | None = None
    eyes: np.ndarray | None = None
    mouth: float | None = None
    events: tuple[Event, ...] = ()

    @cached_property
    def box(self) -> np.ndarray:
        """(4,) float32 left, top, right, bottom: the landmarks' tight box."""
        return np.concatenate([self.landmarks.min(axis=0), self.landmarks.max(axis=0)])

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as docs/output.md describes them: pixels, degrees, mm, seconds."""
        known: dict[str, Any] = {
            "id": self.id,
            "score": None if self.score is None else round(self.score, 3),
            "box": _rounded(self.box),
            "landmarks": _rounded(self.landmarks),
            "pose": dict(zip(ANGLES, _rounded(self.pose), strict=True)),
        }
        if self.position is not None:
            x, y, z = (round(float(value), 1) for value in self.position)
            known["position"] = {"x": x, "y": y, "z": z}
        if self.eyes is not None and self.mouth is not None:
            right, left = (round(float(value), 3) for value in self.eyes)
            known["eyes"] = {"right": right, "left": left}
            known["mouth"] = round(self.mouth, 3)
            known["events"] = [
                {"kind": kind, "start": round(start, 4), "end": round(end, 4)}
                for kind, start, end in self.events
            ]
        return known


def _rounded(values: np.ndarray) -> list[Any]:
    """As `round` does each of float32, in a tenth of the time."""
    rounded: list[Any] = np.round(values.astype(np.float64), 2).tolist()
    return rounded


def input_table(spec: ModelSpec, dtype: type, scale: float, zero_point: int) -> np.ndarray:
    """What each pixel value becomes at the network's input.

    Args:
        spec: tells mean and std.
        dtype: of the input tensor: float32, int8 or uint8.
        scale, zero_point: the tensor's quantization; ignored for float32.

    Returns:
        (256,) of `dtype`.
    """
    real = (np.arange(256) - spec.mean) / spec.std
    if np.dtype(dtype) == np.float32:
        return np.asarray(real, np.float32)
    limits = np.iinfo(dtype)
    exact = real / scale + zero_point
    # With 255 steps over [-1, 1] every value lies halfway between two integers.
    # Rounding each its own way would merge grey levels, so all go the same way:
    # the one that clips less.
    up, down = np.floor(exact + 0.5 + 1e-3), np.ceil(exact - 0.5 - 1e-3)
    clipped = [((t < limits.min) | (t > limits.max)).sum() for t in (up, down)]
    table = up if clipped[0] <= clipped[1] else down
    levels: np.ndarray = np.clip(table, limits.min, limits.max).astype(dtype)
    return levels


class Landmarker:
    """ASMNet with its contract; hides the tensors' types, scales and layout.

    Attributes:
        spec: the contract stored in the model file.
    """

    def __init__(self, network: Network, spec: ModelSpec) -> None:
        count = spec.landmark_scheme.count
        network.require(
            spec.input_size,
            3,
            {spec.landmarks_tensor: (1, 2 * count), spec.pose_tensor: (1, 3)},
        )
        dtype = network.input["dtype"]
        if dtype not in (np.float32, np.int8, np.uint8):
            raise UserError(
                f"{network.name} takes {np.dtype(dtype).name} input; only float32, int8 and "
                "uint8 are served: export it again"
            )
        self.spec = spec
        self._network = network
        self._detector: FaceDetector | None = None
        self._table = input_table(spec, dtype, *network.input["quantization"])
        self._input = np.empty((1, spec.input_size, spec.input_size, 3), dtype)

    @classmethod
    def load(cls, model: str | os.PathLike[str] = models.DEFAULT, threads: int = 1) -> Landmarker:
        """Load a shipped model by its name, or a `.tflite` made by asmnet-export by its path.

        Raises:
            UserError: no such name, the file is missing, corrupt or foreign, or no
                interpreter works.
        """
        path = models.find(model)
        spec = read_spec(path)
        return cls(Network(path, threads), spec)

    def extract(self, image_bgr: np.ndarray, crop: Crop) -> np.ndarray:
        """The network's view of a picture: (size, size, 3) uint8 RGB.

        Args:
            image_bgr: (H, W, 3) uint8 BGR.
            crop: where; see `Crop.around` and `Detection.to_crop`.
        """
        cut = extract(image_bgr, crop, self.spec.input_size, OPENCV)
        return cv2.cvtColor(cut, cv2.COLOR_BGR2RGB)

    def raw(self, crop_rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Run the network on pixels.

        Args:
            crop_rgb: (size, size, 3) uint8 RGB.

        Returns:
            landmarks: (N, 2) float32 crop units.
            pose: (3,) float32 degrees yaw, pitch, roll, as seen in the crop.
        """
        cv2.LUT(crop_rgb, self._table, dst=self._input[0])
        self._network.run(self._input)
        landmarks = self._network.output(self.spec.landmarks_tensor).reshape(-1, 2)
        return landmarks, self._network.output(self.spec.pose_tensor).reshape(3)

    def place(self, landmarks: np.ndarray, pose: np.ndarray, crop: Crop) -> Face:
        """Bring what `raw` returned for a crop into the picture's frame.

        Raises:
            UserError: the network answered NaN or the like.
        """
        require_numbers(self.spec.name, landmarks, pose)
        points = crop.to_picture(landmarks).astype(np.float32)
        if crop.angle:
            pose = rotate_pose(pose, crop.angle).astype(np.float32)
        return Face(points, pose, crop)

    @overload
    def __call__(self, image: ImageLike) -> list[Face]: ...

    @overload
    def __call__(self, image: ImageLike, crop: Crop) -> Face: ...

    def __call__(self, image: ImageLike, crop: Crop | None = None) -> Face | list[Face]:
        """Landmarks and pose of the face in `crop`, or of all faces in the picture.

        A detected face is seen twice, the second time around its landmarks: detectors' boxes stray.

        >>> from asmnet import samples
        >>> [face] = Landmarker.load()(samples.PORTRAITS / "astronaut.jpg")
        >>> face.landmarks.shape, face.pose.shape
        ((68, 2), (3,))

        Args:
            image: uint8 BGR (H, W, 3), grey or BGRA; the path of a file; or a PIL image.
            crop: a square around the face, `spec.margin` times its landmarks' box; if it is
                not given, the shipped detector looks for faces.

        Returns:
            the face; without a crop a list of them, the surest first.

        Raises:
            UserError: the image cannot be used, or the network answers NaN or the like.
            ValueError: the crop is not a finite square.
        """
        image = as_bgr(image)
        if crop is not None:
            return self.place(*self.raw(self.extract(image, crop)), crop)
        if self._detector is None:
            self._detector = FaceDetector.load()
        found = []
        for seen in self._detector.detect(image):
            rough = self(image, seen.to_crop(self.spec.margin))
            face = self(image, next_crop(rough.landmarks, self.spec.margin))
            found.append(replace(face, score=seen.score))
        return found
