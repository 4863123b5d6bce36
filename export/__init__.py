"""From a trained `.keras` file to a `.tflite` file that behaves the same.

    export("runs/mine/best.keras", "mine-int8.tflite", calibration=Path("MY_PICTURES"))

converts, compares with the float model on other faces, and writes the file only if it passes.
TensorFlow is imported when something is converted, not before.
"""

from asmnet.export.calibration import calibration_faces
from asmnet.export.convert import convert
from asmnet.export.gate import ParityReport, measure_parity
from asmnet.export.pipeline import Export, GateFailed, export
from asmnet.export.recipes import RECIPES

__all__ = [
    "Export",
    "GateFailed",
    "ParityReport",
    "RECIPES",
    "calibration_faces",
    "convert",
    "export",
    "measure_parity",
]
