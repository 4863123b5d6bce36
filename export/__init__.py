"""From a trained `.keras` file to a proven `.tflite` file, and figures for both.

    network, spec = load_float(models.find(kind=".keras"))
    calibration = calibration_faces(spec)
    spec = convert(network, spec, "int8", calibration, Path("asmnet-int8.tflite"))

TensorFlow is imported when something is converted, not before.
"""

from asmnet.evaluate.face_sets import FaceSet, detected_faces, labelled_faces
from asmnet.export.calibration import calibration_faces
from asmnet.export.convert import convert
from asmnet.export.gate import LIMITS, ParityReport, measure_parity
from asmnet.export.recipes import RECIPES
from asmnet.train.checkpoint import load_float

__all__ = [
    "FaceSet",
    "LIMITS",
    "RECIPES",
    "ParityReport",
    "calibration_faces",
    "convert",
    "detected_faces",
    "measure_parity",
    "labelled_faces",
    "load_float",
]
