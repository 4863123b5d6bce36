"""Golden vectors: what the Python runtime answers, for the Java core to replay.

    python android_demo/golden/make_vectors.py

writes vectors.json (name -> type, shape, offset), vectors.bin.gz (the arrays one after
another, little-endian, row by row) and contract.tflite (a shipped contract in a file without
a network) into the tests' resources.  Shipped sample pictures only.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import cv2
import numpy as np
from constants import constants
from face_signals import blinks_and_yawns, heads, ibug68
from output import trace
from scenes import scenes, turned_scenes
from tracking import blinking, nervous, tracking

from asmnet import models, samples
from asmnet.core import (
    SCHEMES,
    Crop,
    embed_spec,
    extract,
    read_spec,
    rotate_pose,
    rotation_from_euler,
)
from asmnet.edge_runtime.crops import OPENCV, OPENCV_PADDED
from asmnet.edge_runtime.detector import FaceDetector, _anchors, _merge
from asmnet.edge_runtime.landmarker import Face, Landmarker, input_table
from asmnet.edge_runtime.tracking.association import correlation, search_regions, suspicious, zscore
from asmnet.edge_runtime.tracking.smoothing import OneEuro
from asmnet.edge_runtime.tracking.tracks import POINTS_FILTER

RESOURCES = Path(__file__).parents[1] / "core/src/test/resources/org/asmnet/core"
Vectors = dict[str, np.ndarray]


def picture() -> np.ndarray:
    """A part of a portrait, 200 x 250 RGB."""
    bgr = cv2.imread(str(samples.PORTRAITS / "astronaut.jpg"))[:320, 96:352]
    return cv2.cvtColor(
        cv2.resize(bgr, (200, 250), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB
    )


def crops(image: np.ndarray) -> Vectors:
    """Crop geometry and resampled pixels; (cx, cy, side, angle, size) each."""
    cases = [
        (100.3, 90.7, 111.0, 0.0, 112),
        (60.0, 80.0, 90.5, 23.0, 112),
        (10.0, 240.0, 150.2, -70.0, 96),  # reaches outside
        (110.0, 100.0, 160.9, 12.5, 64),  # k = 2
        (100.0, 125.0, 250.0, 180.0, 48),  # k = 5, whole picture
        (190.0, 20.0, 180.0, 45.0, 48),  # k = 3, reaches outside
        (99.5, 124.5, 2000.0, 0.0, 8),  # blocks as large as the picture
        (-400.0, 90.0, 60.0, 0.0, 32),  # wholly outside
    ]
    out: Vectors = {"crop/cases": np.array(cases)}
    units = np.random.default_rng(1).uniform(-0.7, 0.7, (20, 2)).astype(np.float32)
    out["crop/units"] = units
    for n, (*square, size) in enumerate(cases):
        crop = Crop(*square)
        out[f"crop/{n}/matrix"] = crop.matrix(size)
        out[f"crop/{n}/points"] = crop.to_picture(units).astype(np.float32)
        again = Crop.around(out[f"crop/{n}/points"], 1.25, crop.angle)
        out[f"crop/{n}/around"] = np.array([again.cx, again.cy, again.side, again.angle])
        out[f"crop/{n}/numpy"] = extract(image, crop, size)
        out[f"crop/{n}/opencv"] = extract(image, crop, size, OPENCV)
        out[f"crop/{n}/padded"] = extract(image, crop, size, OPENCV_PADDED)
    return out


def tensors() -> Vectors:
    """Input tables, dequantized outputs, rotated poses."""
    spec = read_spec(models.find(models.DEFAULT))
    cases = [(2 / 255, 0, 127.5, 127.5), (2 / 255, -1, 127.5, 127.5), (0.0171, -14, 120.0, 58.0)]
    scales = np.array([np.float32(case[0]) for case in cases], np.float32)
    out: Vectors = {
        "table/scale": scales,
        "table/zero": np.array([case[1] for case in cases], np.int32),
        "table/mean_std": np.array([case[2:] for case in cases]),
    }
    for n, (_, zero, mean, std) in enumerate(cases):
        own, scale = spec.replace(mean=mean, std=std), float(scales[n])
        out[f"table/{n}/int8"] = input_table(own, np.int8, scale, zero)
        out[f"table/{n}/uint8"] = input_table(own, np.uint8, scale, zero + 128)
        out[f"table/{n}/float32"] = input_table(own, np.float32, 0.0, 0)
        levels = np.arange(-128, 128).astype(np.int8)
        # As Network.output does it.
        out[f"table/{n}/real"] = (levels.astype(np.float32) - zero) * np.float32(scale)
    random = np.random.default_rng(2)
    out["pose/in"] = random.uniform(-75, 75, (200, 3)).astype(np.float32)
    out["pose/angle"] = random.uniform(-180, 180, 200)
    out["pose/out"] = rotate_pose(out["pose/in"], out["pose/angle"]).astype(np.float32)
    out["pose/matrix"] = rotation_from_euler(out["pose/in"])
    return out


def schemes() -> Vectors:
    """Counts, outer eyes, ends of the nose, edges, the place of iBUG's points."""
    out: Vectors = {}
    for name, scheme in SCHEMES.items():
        out[f"scheme/{name}"] = np.array(
            [scheme.count, *scheme.outer_eyes, scheme.groups["nose"][0], scheme.groups["nose"][-1]],
            np.int32,
        )
        out[f"scheme/{name}/edges"] = np.array(scheme.edges, np.int32)
        out[f"scheme/{name}/ibug68"] = ibug68(scheme.count).astype(np.int32)
    return out


def landmarks(image: np.ndarray) -> Vectors:
    """A face from the detector's crop to picture pixels, with the default model."""
    bgr, landmarker = image[..., ::-1].copy(), Landmarker.load()
    [seen] = FaceDetector.load().detect(bgr)
    base = seen.to_crop(landmarker.spec.margin)
    crop = Crop(base.cx, base.cy, base.side, 9.0)
    units, pose = landmarker.raw(landmarker.extract(bgr, crop))
    face = landmarker.place(units, pose, crop)
    return {
        "face/crop": np.array([crop.cx, crop.cy, crop.side, crop.angle]),
        "face/units": units,
        "face/raw_pose": pose,
        "face/landmarks": face.landmarks,
        "face/pose": face.pose,
    }


def detector(image: np.ndarray) -> Vectors:
    """Raw answers, decoded: one face; two faces side by side in a tilted region."""
    found, network = FaceDetector.load(), FaceDetector.load()._network
    out: Vectors = {"detector/anchors": _anchors()}
    two = np.hstack([image, image[:, ::-1]])[..., ::-1].copy()
    cases = [(image[..., ::-1].copy(), Crop(99.5, 124.5, 250, 0.0), 0.5),
             (two, Crop(200.0, 110.0, 380.0, 8.0), 0.3)]  # fmt: skip
    for n, (bgr, region, threshold) in enumerate(cases):
        faces = found.detect(bgr, region, threshold)
        square = extract(bgr, region, 128, OPENCV_PADDED)[..., ::-1]
        network.run(found._table[square][None])
        key = f"detector/{n}"
        out[f"{key}/region"] = np.array([region.cx, region.cy, region.side, region.angle])
        out[f"{key}/threshold"] = np.array([threshold])
        out[f"{key}/regressors"] = network.output("regressors")
        out[f"{key}/logits"] = network.output("classificators")
        out |= detections(key, faces)
    assert len(faces) == 2
    # Many overlapping boxes of all sizes, to exercise suppression.
    random = np.random.default_rng(3)
    regressors = random.uniform(-60, 60, (896, 16)).astype(np.float32)
    logits = random.permutation(np.linspace(-6, 2, 896)).astype(np.float32)
    region, kept = Crop(0.0, 0.0, 128.0), np.flatnonzero(logits >= 0)
    pairs = (regressors[kept] / 128).reshape(-1, 8, 2)
    pairs[:, [0, 2, 3, 4, 5, 6, 7]] += _anchors()[kept][:, None]
    faces = [
        FaceDetector._in_picture(*face, region)
        for face in _merge(pairs, 1 / (1 + np.exp(-logits[kept])))
    ]
    out["detector/2/region"] = np.array([0.0, 0.0, 128.0, 0.0])
    out["detector/2/threshold"] = np.array([0.5])
    out["detector/2/regressors"], out["detector/2/logits"] = regressors, logits
    return out | detections("detector/2", faces)


def turned_detector(image: np.ndarray) -> Vectors:
    """An answer of the detector of turned faces; its candidates alone."""
    found = FaceDetector.load(models.TURNED_DETECTOR)
    bgr, region = image[..., ::-1].copy(), Crop(99.5, 124.5, 300, -6.0)
    faces = found.detect(bgr, region, 0.3)
    logits = found._network.output("classificators")[0, :, 0]
    kept = np.flatnonzero(logits > -2)
    assert len(faces) == 1 and len(kept) > 1
    return {
        "turned/0/anchors": _anchors(320),
        "turned/0/region": np.array([region.cx, region.cy, region.side, region.angle]),
        "turned/0/candidates": kept.astype(np.int32),
        "turned/0/logits": logits[kept],
        "turned/0/regressors": found._network.output("regressors")[0, kept],
    } | detections("turned/0", faces)


def detections(key: str, faces: list) -> Vectors:
    crops = [(c.cx, c.cy, c.side, c.angle) for c in (f.to_crop(1.25) for f in faces)]
    return {
        f"{key}/boxes": np.array([face.box for face in faces]),
        f"{key}/scores": np.array([face.score for face in faces]),
        f"{key}/keypoints": np.array([face.keypoints for face in faces]),
        f"{key}/crops": np.array(crops),
    }


def smoothing() -> Vectors:
    """Points that rest, then move; uneven times, one repeated and one that goes back."""
    random = np.random.default_rng(4)
    times = np.cumsum(random.uniform(0.01, 0.06, 60))
    times[20], times[40:] = times[19], times[40:] - 5
    moving = np.cumsum(random.normal(0, 3, (60, 4, 2)), axis=0)
    moving[:11] = 0
    points = (100 + moving + random.normal(0, 0.3, moving.shape)).astype(np.float32)
    points_filter = OneEuro(*POINTS_FILTER)
    smooth = [points_filter(p, t, 80.0) for p, t in zip(points, times, strict=True)]
    return {
        "smooth/parameters": np.array(POINTS_FILTER),
        "smooth/times": times,
        "smooth/in": points,
        "smooth/out": np.array(smooth).astype(np.float32),
    }


def to_rgb(y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """BT.601 full range in integers, of planes brought to one size: see FrameConverter."""
    y, u, v = (plane.astype(np.int64) for plane in (y, u - 128.0, v - 128.0))
    red = y + ((91881 * v + 32768) >> 16)
    green = y + ((-22554 * u - 46802 * v + 32768) >> 16)
    blue = y + ((116130 * u + 32768) >> 16)
    return np.clip(np.stack([red, green, blue], axis=-1), 0, 255).astype(np.uint8)


def frames() -> Vectors:
    """Camera frames with odd strides and a cropRect, upright in all eight ways."""
    random = np.random.default_rng(5)
    height, width, stride = 22, 30, 37
    y = random.integers(0, 256, (height, stride), np.uint8)
    uv = random.integers(0, 256, (height // 2, stride + 5), np.uint8)  # NV21: v u v u ...
    v, u = uv[:, 0:width:2], uv[:, 1 : width + 1 : 2]
    rgba = random.integers(0, 256, (9, 4 * 13 + 6), np.uint8)
    left, top, right, bottom = 3, 5, 28, 20
    full = to_rgb(y[:, :width], *(p.repeat(2, axis=0).repeat(2, axis=1) for p in (u, v)))
    sources = {
        "yuv": full[top:bottom, left:right],
        "rgba": rgba[:, : 4 * 13].reshape(9, 13, 4)[..., :3],
    }
    out: Vectors = {
        "frame/y": y,
        "frame/uv": uv,
        "frame/rect": np.array([left, top, right - left, bottom - top], np.int32),
        "frame/rgba": rgba,
    }
    for name, rgb in sources.items():
        for rotation in (0, 90, 180, 270):
            upright = np.rot90(rgb, -rotation // 90)
            out[f"frame/{name}/{rotation}"] = upright
            out[f"frame/{name}/{rotation}/mirror"] = upright[:, ::-1]
    grey, blue, red = np.meshgrid(*[np.arange(0, 256, 5)] * 3, indexing="ij")
    out["frame/colors"] = to_rgb(grey.ravel(), blue.ravel(), red.ravel())
    return out


def association() -> Vectors:
    """Correlation, suspicion and search regions."""
    random = np.random.default_rng(6)
    thumbnails = random.integers(0, 256, (2, 16, 16, 3), np.uint8)
    thumbnails[1] = thumbnails[0] // 2 + thumbnails[1] // 3
    boxes = random.uniform(0, 90, (300, 2, 2))
    boxes = np.concatenate([boxes, boxes + random.uniform(20, 60, (300, 2, 1))], axis=2)
    boxes[:, 1] = boxes[:, 0] + random.normal(0, 6, (300, 4))
    boxes = boxes.astype(np.float32)

    def face(box: np.ndarray) -> Face:
        return Face(box.reshape(2, 2), np.zeros(3), Crop(0, 0, 1))

    frame = np.zeros((100, 120, 3), np.uint8)
    sizes = [(640, 480), (480, 640), (300, 300), (1280, 300), (200, 231)]
    out: Vectors = {
        "association/thumbnails": thumbnails,
        "association/correlation": np.array([correlation(*(zscore(one) for one in thumbnails))]),
        "association/boxes": boxes,
        "association/suspicious": np.array(
            [suspicious(face(old), face(new), frame) for old, new in boxes], np.uint8
        ),
        "association/sizes": np.array(sizes, np.int32),
    }
    # A side of which 16 is no divisor.
    odd = cv2.resize(thumbnails[0], (100, 100), interpolation=cv2.INTER_CUBIC)
    small = cv2.resize(odd, (16, 16), interpolation=cv2.INTER_AREA)
    out |= {"association/odd": odd, "association/odd/thumbnail": zscore(small)}
    for n, (width, height) in enumerate(sizes):
        regions = search_regions(np.zeros((height, width, 3), np.uint8))[1:]
        out[f"association/regions/{n}"] = np.array([(r.cx, r.cy, r.side) for r in regions])
    return out


def contract() -> None:
    """A shipped contract behind what only begins like a network."""
    target = RESOURCES / "contract.tflite"
    target.write_bytes(b"\x1c\0\0\0TFL3" + bytes(range(256)))
    embed_spec(target, read_spec(models.find(models.DEFAULT)).replace(training={"é": '"\\\n€'}))


def vectors() -> Vectors:
    """All of them, by name."""
    image = picture()
    found: Vectors = {"picture": image}
    for part in (crops(image), tensors(), schemes(), landmarks(image), detector(image),
                 turned_detector(image), smoothing(), frames(), association(), constants(),
                 trace(), tracking(), blinking(), nervous(), scenes(), turned_scenes(), heads(),
                 blinks_and_yawns()):  # fmt: skip
        found |= part
    return found


def committed() -> Vectors:
    """What the resources hold; int8 as uint8."""
    data = gzip.decompress((RESOURCES / "vectors.bin.gz").read_bytes())
    index = json.loads((RESOURCES / "vectors.json").read_text())
    return {
        name: np.frombuffer(data, f"<{kind}", int(np.prod(shape)), start).reshape(shape)
        for name, (kind, shape, start) in index.items()
    }


def main() -> None:
    RESOURCES.mkdir(parents=True, exist_ok=True)
    types = {"uint8": "u1", "int8": "u1", "int32": "i4", "float32": "f4", "float64": "f8"}
    index, data = {}, bytearray()
    for name, array in vectors().items():
        kind = types[array.dtype.name]
        index[name] = [kind, list(array.shape), len(data)]
        data += array.astype(array.dtype.newbyteorder("<")).tobytes()
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in index.items())
    (RESOURCES / "vectors.json").write_text("{\n" + lines + "\n}\n")
    (RESOURCES / "vectors.bin.gz").write_bytes(gzip.compress(bytes(data), 9, mtime=0))
    contract()
    print(f"{len(index)} arrays, {sum(f.stat().st_size for f in RESOURCES.iterdir()):,} bytes")


if __name__ == "__main__":
    main()
