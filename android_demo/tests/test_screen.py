"""Pictures of the app: its activity, drawn by Android's own graphics on this machine's JVM.

Camera frames of the sample clip go in where the camera's would, in YUV and lying as a phone's
sensor lies; what comes out is the whole screen.
"""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import screens

from asmnet import models, samples
from asmnet.edge_runtime.detector import FaceDetector
from asmnet.edge_runtime.landmarker import Landmarker
from asmnet.edge_runtime.tracking.tracker import FaceTracker

PORTRAIT, LANDSCAPE = "w360dp-h640dp-port-xhdpi", "w640dp-h360dp-land-xhdpi"
# Name: device, what is seen, orientation of the sensor, rotation of the display, camera.
SHOTS = {
    "portrait-back": (PORTRAIT, "one", 90, 0, "back"),
    "portrait-front": (PORTRAIT, "one", 270, 0, "front"),
    "landscape-back": (LANDSCAPE, "two", 90, 90, "back"),
    "landscape-front": (LANDSCAPE, "two", 270, 90, "front"),
}


def upright(scene: str) -> list[np.ndarray]:
    """Frames as the user sees them, BGR: (640, 480) with one face or (480, 640) with two."""
    capture = cv2.VideoCapture(str(samples.CLIP))
    first = {"one": 45, "two": 740}[scene]
    capture.set(cv2.CAP_PROP_POS_FRAMES, first)
    frames = [capture.read()[1] for _ in range(20)]
    if scene == "one":
        frames = [cv2.resize(frame[:, 140:500], (480, 640)) for frame in frames]
    return frames


def turn(sensor: int, display: int, camera: str) -> int:
    """Degrees clockwise that make a frame upright (Android's documentation of the camera)."""
    return (sensor + display if camera == "front" else sensor - display) % 360


def nv21(upright: np.ndarray, rotation: int) -> bytes:
    """A frame as the sensor delivers it: full-range BT.601, grey, then v and u in turns."""
    frame = np.ascontiguousarray(np.rot90(upright, rotation // 90))
    grey, *chroma = cv2.split(cv2.cvtColor(frame, cv2.COLOR_BGR2YCrCb))
    half = (grey.shape[1] // 2, grey.shape[0] // 2)
    small = [cv2.resize(plane, half, interpolation=cv2.INTER_AREA) for plane in chroma]
    return grey.tobytes() + np.dstack(small).tobytes()


def draw(folder: Path, names: list[str], rounds: int = 0) -> None:
    """Make the pictures of some shots, and of the messages; `rounds` to and fro go before."""
    lines = []
    for name in names:
        device, scene, sensor, display, camera = SHOTS[name]
        rotation = turn(sensor, display, camera)
        frames = [nv21(frame, rotation) for frame in upright(scene)]
        frames = rounds * (frames + frames[::-1]) + frames
        (folder / f"{name}.nv21").write_bytes(b"".join(frames))
        # Either way the sensor delivers frames of 640 x 480.
        lines.append(f"{name} {device} {name}.nv21 640 480 {sensor} {display} {camera}\n")
    (folder / "shots").write_text("".join(lines))
    (folder / "stills").mkdir()
    for portrait in samples.PORTRAITS.glob("*.jpg"):
        cv2.imwrite(str(folder / "stills" / f"{portrait.stem}.png"), cv2.imread(str(portrait)))
    screens.draw(folder)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all pictures."""
    folder = tmp_path_factory.mktemp("screens")
    draw(folder, list(SHOTS))
    return folder


class Shown:
    """A picture of the screen, and what the app says of it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.image = cv2.imread(str(folder / f"{name}.png"))
        first, *self.texts = (folder / f"{name}.texts").read_text().splitlines()
        self.left, self.top, self.width, self.height = map(int, first.split())
        dots = (folder / f"{name}.dots").read_text().split()
        self.dots = np.array(dots, float).reshape(-1, 3)

    def place(self, size: tuple[int, int]) -> tuple[float, float, float]:
        """Scale and left, top on the screen of a frame as large as fits, in the middle."""
        scale = min(self.width / size[0], self.height / size[1])
        return (
            scale,
            self.left + (self.width - scale * size[0]) / 2,
            self.top + (self.height - scale * size[1]) / 2,
        )


@pytest.fixture(params=SHOTS)
def shot(request: pytest.FixtureRequest, pictures: Path) -> tuple[Shown, list[np.ndarray], bool]:
    """What is shown, the frames that went in, whether it is mirrored."""
    _, scene, _, _, camera = SHOTS[request.param]
    return Shown(pictures, request.param), upright(scene), camera == "front"


def test_the_frame_is_upright_whole_and_mirrored_for_the_front_camera(shot: tuple) -> None:
    shown, frames, mirror = shot
    height, width = frames[-1].shape[:2]
    scale, left, top = shown.place((width, height))
    seen = cv2.warpAffine(
        shown.image,
        np.array([[1 / scale, 0, -left / scale], [0, 1 / scale, -top / scale]]),
        (width, height),
    )
    expected = frames[-1][:, ::-1] if mirror else frames[-1]
    # Below the status text; what is drawn over the face is thin.
    apart = np.abs(seen.astype(int) - expected)[height // 4 :].max(axis=2)
    assert np.median(apart) <= 3
    wrong = np.abs(seen.astype(int) - expected[:, ::-1])[height // 4 :].max(axis=2)
    assert np.median(wrong) > 2 * np.median(apart) + 3


def test_each_landmark_is_a_white_dot_where_the_draw_list_says(shot: tuple) -> None:
    shown, frames, _ = shot
    assert len(shown.dots) in (68, 2 * 68)
    height, width = frames[0].shape[:2]
    scale, left, top = shown.place((width, height))
    x, y = (scale * (shown.dots[:, :2] + 0.5) + (left, top)).T
    colors = shown.image[np.floor(y).astype(int), np.floor(x).astype(int)]
    white = (colors > 225).all(axis=1)
    # The head's axes lie above some, from the nose outwards.
    print(f"{white.sum()} of {len(white)} white")
    assert white.mean() > 0.9
    # And not beside: three radii to the left it is another colour.
    beside = np.floor(x - 3 * scale * shown.dots[:, 2]).astype(int)
    colors = shown.image[np.floor(y).astype(int), np.clip(beside, 0, shown.image.shape[1] - 1)]
    assert (colors > 225).all(axis=1).mean() < 0.2


def test_the_dots_are_pythons_landmarks(shot: tuple) -> None:
    """The app's own chain, from YUV to the draw list, beside Python's on the upright frames."""
    shown, frames, mirror = shot
    turned = FaceDetector.load(models.TURNED_DETECTOR)
    tracker = FaceTracker(Landmarker.load(), FaceDetector.load(), max_faces=4, turned=turned)
    for index, frame in enumerate(frames):
        faces = tracker.update(frame, index / 30)
    points = np.concatenate([face.landmarks for face in faces])
    if mirror:
        points = points * (-1, 1) + (frames[0].shape[1] - 1, 0)
    assert points.shape == (len(shown.dots), 2)
    apart = np.linalg.norm(points - shown.dots[:, :2], axis=1)
    print(f"mean {apart.mean():.2f}, most {apart.max():.2f} px")
    assert apart.mean() < 1.0 and apart.max() < 4.0


def test_the_library_finds_in_bitmaps_what_python_finds(pictures: Path) -> None:
    landmarker, files = Landmarker.load(), sorted((pictures / "stills").glob("*.png"))
    assert len(files) >= 3
    for file in files:
        [face] = landmarker(cv2.imread(str(file)))
        found = np.array(file.with_suffix(".found").read_text().split(), float).reshape(68, 2)
        apart = np.linalg.norm(found - face.landmarks, axis=1) / face.crop.side * 224
        print(f"{file.stem}: mean {apart.mean():.2f}, most {apart.max():.2f} px of 224")
        assert apart.mean() < 0.4 and apart.max() < 1.0


def test_the_status_names_speed_stages_and_model(shot: tuple) -> None:
    text = "\n".join(shot[0].texts)
    assert "frames/s" in text and "network" in text and "asmnet-spatial-68-112-int8" in text
    assert {"Camera", "Model", "Run on", "Record"} <= set(shot[0].texts)


def test_the_status_tells_how_far_the_first_face_is(shot: tuple) -> None:
    shown, frames, _ = shot
    tracker = FaceTracker(Landmarker.load(), FaceDetector.load(), max_faces=4)
    distances = [
        tracker.update(frame, index / 30)[0].position[2] / 10 for index, frame in enumerate(frames)
    ]
    told = re.search(r"face 0: (\d+) cm, eyes (\d+) % open, blinks 0", "\n".join(shown.texts))
    centimetres, eyes = map(int, told.groups())
    assert min(distances) - 2 < centimetres < max(distances) + 2
    assert 50 < eyes <= 100


@pytest.mark.parametrize(
    "name, message, button",
    [
        ("refused", "Pictures stay on this phone", "Allow camera"),
        ("no-camera", "This device has no camera.", "Try again"),
    ],
)
def test_what_is_missing_is_said_in_words_with_one_way_out(
    name: str, message: str, button: str, pictures: Path
) -> None:
    shown = Shown(pictures, name)
    assert any(message in text for text in shown.texts)
    assert button in shown.texts
    # Readable: light letters on a dark ground where the message is.
    middle = shown.image[shown.height // 3 : shown.height * 2 // 3].max(axis=2)
    assert (middle > 200).mean() > 0.01 and np.median(middle) < 60


def test_what_goes_wrong_is_one_message_and_what_worked_goes_on() -> None:
    screens.check_faults()
