"""Write golden.npz: what the shipped float and int8 models answer on shipped faces.

    python tests/golden/make_golden.py

Run it after publishing a model; the tests replay it under every interpreter,
without TensorFlow.  Made under ai-edge-litert with XNNPACK, one thread.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import keras
import numpy as np

from asmnet import models, samples
from asmnet.core import atomic_path
from asmnet.edge_runtime import FaceDetector, Landmarker
from asmnet.train.trainer import predict

PICTURES = (
    "portraits/astronaut.jpg",
    "london/neutral_001_03.jpg",
    "london/neutral_022_03.jpg",
    "london/neutral_037_03.jpg",
    "clip/sources/smiling_030_08.jpg",
    "clip/sources/smiling_092_08.jpg",
)


def main() -> None:
    landmarker, detector = Landmarker.load(models.INT8), FaceDetector.load()
    network = keras.saving.load_model(models.FLOAT, compile=False)
    places, crops, answers = [], [], []
    for name in PICTURES:
        image = cv2.imread(str(samples.LONDON.parent / name))
        crop = detector.detect(image)[0].to_crop(landmarker.spec.margin)
        # As stored, so that a replay cuts at exactly the same place.
        places.append((crop.cx, crop.cy, crop.side))
        crops.append(landmarker.extract(image, crop))
        answers.append(landmarker.raw(crops[-1]))
    points, pose = predict(network, np.stack(crops))
    with atomic_path(Path(__file__).with_name("golden.npz")) as temporary:
        np.savez_compressed(
            temporary,
            pictures=PICTURES,
            places=np.array(places),
            crops=np.stack(crops),
            float_landmarks=points,
            float_pose=pose,
            int8_landmarks=np.stack([a[0] for a in answers]),
            int8_pose=np.stack([a[1] for a in answers]),
        )


if __name__ == "__main__":
    main()
