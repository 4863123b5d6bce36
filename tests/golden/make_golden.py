"""Write what the shipped models, float and int8, answer on shipped faces.

    python tests/golden/make_golden.py

makes crops-SIZE.npz, what the models of that size see, and NAME.npz, what each of
them answers.  Run it after publishing a model; the tests replay it under every
interpreter, without TensorFlow.  Made under ai-edge-litert with XNNPACK, one thread.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import keras
import numpy as np

from asmnet import models, samples
from asmnet.core import atomic_path
from asmnet.edge_runtime import FaceDetector, Landmarker
from asmnet.train.asm_model import predict

PICTURES = (
    "portraits/astronaut.jpg",
    "london/neutral_001_03.jpg",
    "london/neutral_022_03.jpg",
    "london/neutral_037_03.jpg",
    "clip/sources/smiling_030_08.jpg",
    "clip/sources/smiling_092_08.jpg",
)


def main() -> None:
    detector = FaceDetector.load()
    for model in models.shipped():
        landmarker = Landmarker.load(model)
        places, crops = [], []
        for name in PICTURES:
            image = cv2.imread(str(samples.LONDON.parent / name))
            crop = detector.detect(image)[0].to_crop(landmarker.spec.margin)
            # As stored, so that a replay cuts at exactly the same place.
            places.append((crop.cx, crop.cy, crop.side))
            crops.append(landmarker.extract(image, crop))
        answers = [landmarker.raw(crop) for crop in crops]
        network = keras.saving.load_model(models.find(model, ".keras"), compile=False)
        points, pose = predict(network, np.stack(crops))
        save(
            f"crops-{landmarker.spec.input_size}",
            pictures=PICTURES,
            places=np.array(places),
            crops=np.stack(crops),
        )
        save(
            model,
            float_landmarks=points,
            float_pose=pose,
            int8_landmarks=np.stack([a[0] for a in answers]),
            int8_pose=np.stack([a[1] for a in answers]),
        )


def save(name: str, **arrays) -> None:
    with atomic_path(Path(__file__).with_name(f"{name}.npz")) as temporary:
        np.savez_compressed(temporary, **arrays)


if __name__ == "__main__":
    main()
