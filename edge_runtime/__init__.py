"""What runs on the device: find faces, place their landmarks, follow them.

    tracker = FaceTracker(Landmarker.load(), FaceDetector.load())
    for frame in frames_from("demo"):
        for face in tracker.update(frame.image, frame.t):
            print(face.id, face.pose)

Needs numpy, OpenCV, click and a TFLite interpreter, nothing more.
"""

from asmnet.edge_runtime.detector import Detection, FaceDetector
from asmnet.edge_runtime.drawing import draw
from asmnet.edge_runtime.landmarker import Face, Landmarker
from asmnet.edge_runtime.sources import Frame, frames_from
from asmnet.edge_runtime.tracker import FaceTracker

__all__ = [
    "Detection",
    "Face",
    "FaceDetector",
    "FaceTracker",
    "Frame",
    "Landmarker",
    "draw",
    "frames_from",
]
