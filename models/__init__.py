"""Model files that ship with the package; each network has a card, NAME.md."""

from pathlib import Path

__all__ = ["DETECTOR", "FLOAT", "INT8", "SHAPE"]

_HERE = Path(__file__).parent

FLOAT = _HERE / "asmnet-68-224.keras"
SHAPE = _HERE / "asmnet-68-224.shape.npz"
INT8 = _HERE / "asmnet-68-224-int8.tflite"
DETECTOR = _HERE / "face_detection_short_range.tflite"
