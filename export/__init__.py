"""From a trained `.keras` file to a proven `.tflite` file, and figures for both.

    network, spec = load_float(models.find(kind=".keras"))
    calibration = calibration_faces(spec)
    spec = convert(network, spec, "int8", calibration, Path("asmnet-int8.tflite"))

TensorFlow is imported when something is converted, not before.
"""

from asmnet.export.calibration import calibration_faces
from asmnet.export.convert import convert
from asmnet.export.faces import FaceSet, detected_faces, labelled_faces
from asmnet.export.float_model import load_float
from asmnet.export.recipes import RECIPES
from asmnet.export.verdict import LIMITS, Verdict, judge

__all__ = [
    "FaceSet",
    "LIMITS",
    "RECIPES",
    "Verdict",
    "calibration_faces",
    "convert",
    "detected_faces",
    "judge",
    "labelled_faces",
    "load_float",
]
