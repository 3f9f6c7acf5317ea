"""Judge a camera's last frames: is there a face, is it lit; is the thermal picture plausible.

The face is looked for with OpenCV's Haar cascade (Viola & Jones 2001, doi:10.1109/CVPR.2001.990517),
which comes with OpenCV and takes milliseconds. It misses turned, covered and some dark faces, so a
face not found is amber: the experimenter looks at the picture. Measuring faces is another room's task.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from emolab.signals.finding import Finding, Level, Quality

Box = tuple[int, int, int, int]  # left, top, width, height in pixels

DETECTION_PX = 480  # the longer side looked at: a face of a tenth of the picture is still 48 px
SMALLEST_FACE = 1 / 8  # of the picture's height
NEIGHBOURS = 5
FACE_SHARE = 0.5  # of the frames; blinks and turns of the head cost a few
# luminance 0 to 255 within the face: below 40 skin is lost in noise, above 220 in white
DARK_FACE, BRIGHT_FACE = 40.0, 220.0
WHITE, WHITE_SHARE = 250, 0.1  # of the face's pixels
DARK_PICTURE, BRIGHT_PICTURE = 12.0, 243.0  # lens cap on, lamp in the lens
FLAT_RGB = 2.0  # SD of luminance: a covered lens, or a camera's blue screen

# °C. A room with a person in it; the skin of a face, cold nose and inner eye (Ioannou 2014,
# doi:10.1111/psyp.12243)
PLAUSIBLE_C = (0.0, 60.0)
FACE_C = (28.0, 40.0)
WARM_SHARE = 0.02  # of the picture: a face at arm's length fills ten times as much
FLAT_C = 0.5  # across the picture: the shutter is shut or the lens covered
FLAT_COUNTS = 3


def judge_rgb(frames: NDArray[np.uint8], name: str = "the camera", *, with_face: bool = True) -> Quality:
    """How good some frames are: `(n, height, width, 3)` uint8 RGB, or one without the `n`.

    `with_face` False leaves the slow part out: 1 ms a frame instead of 5.
    """
    every = frames if frames.ndim == 4 else frames[np.newaxis]
    greys = [_grey(frame) for frame in every]
    if (dim := _exposure(greys, name)) is not None:
        return Quality.of([dim])
    if not with_face:
        return Quality()
    found = [(grey, box) for grey in greys if (box := find_face(grey)) is not None]
    if len(found) < FACE_SHARE * len(greys):
        what = f"{name} shows a face in {len(found)} of {len(greys)} pictures"
        remedy = "Aim it at the participant, light the face from the front, and look at the picture."
        return Quality.of([Finding("no_face", "look", what, remedy, len(found) / len(greys))])
    return Quality.of(_lit(found, name))


def find_face(picture: NDArray[np.uint8]) -> Box | None:
    """The largest face in a picture `(height, width)` grey or `(height, width, 3)` RGB; None without."""
    grey = _grey(picture)
    smallest = max(int(grey.shape[0] * SMALLEST_FACE), 24)
    with _cascade_lock:  # a cascade keeps its work inside itself
        boxes = _cascade().detectMultiScale(grey, 1.1, NEIGHBOURS, minSize=(smallest, smallest))
    if not len(boxes):
        return None
    left, top, width, height = max(boxes, key=lambda box: box[2] * box[3])
    scale = picture.shape[1] / grey.shape[1]
    return round(left * scale), round(top * scale), round(width * scale), round(height * scale)


def judge_thermal(celsius: NDArray, name: str = "the thermal camera", *, unit: str = "degC") -> Quality:
    """How plausible some thermal frames are: `(n, height, width)`, or one without the `n`.

    In `degC` the temperatures are judged; in another unit only that the picture is not flat.
    """
    every = np.asarray(celsius, dtype=np.float32)
    every = every if every.ndim == 3 else every[np.newaxis]
    picture = np.median(every, axis=0) if len(every) > 2 else every[-1]
    low, high = (float(value) for value in np.percentile(picture, (0.5, 99.5)))
    is_celsius = unit in ("degC", "°C", "C")
    if high - low < (FLAT_C if is_celsius else FLAT_COUNTS):
        what = f"{name} shows a flat picture"
        remedy = "Take the cap off and wait until its shutter has opened."
        return Quality.of([Finding("flat", "act", what, remedy, high - low)])
    return Quality.of(_warmth(picture, low, high, name)) if is_celsius else Quality()


def _warmth(picture: NDArray[np.float32], low: float, high: float, name: str) -> Iterator[Finding]:
    if low < PLAUSIBLE_C[0] or high > PLAUSIBLE_C[1]:
        what = f"{name} shows {low:.0f} to {high:.0f} °C, which no room with a person in it has"
        remedy = "Check 'radiometry' in the device file against the camera's manual."
        yield Finding("implausible", "look", what, remedy, high if high > PLAUSIBLE_C[1] else low)
        return
    warm = float(np.mean((picture >= FACE_C[0]) & (picture <= FACE_C[1])))
    if warm < WARM_SHARE:
        what = f"{name} shows nothing as warm as a face, {high:.1f} °C at most"
        remedy = "Aim it at the participant's face, and check 'radiometry' in the device file."
        yield Finding("no_face", "look", what, remedy, high)
    elif warm > 1 - WARM_SHARE:
        what = f"{name} sees no room around the face, which is all skin-warm"
        remedy = "Move it back, and check 'radiometry' in the device file."
        yield Finding("too_warm", "look", what, remedy, warm)


def _exposure(greys: list[NDArray[np.uint8]], name: str) -> Finding | None:
    """The picture as a whole: black, white, or all one grey."""
    mean = float(np.median([grey.mean() for grey in greys]))
    spread = float(np.median([grey.std() for grey in greys]))
    if mean < DARK_PICTURE:
        what, code = f"{name} shows a black picture", "dark"
        remedy = "Take the cap off, open its shutter, and light the room."
    elif mean > BRIGHT_PICTURE:
        what, code = f"{name} shows a white picture", "bright"
        remedy = "Turn it away from the lamp or the window, or shorten its exposure."
    elif spread < FLAT_RGB:
        what, code = f"{name} shows a picture without anything in it", "flat"
        remedy = "Uncover the lens, and check that the right camera is chosen."
    else:
        return None
    return Finding(code, "act", what, remedy, mean)


def _lit(found: list[tuple[NDArray[np.uint8], Box]], name: str) -> Iterator[Finding]:
    """The light on the face: the middle of the box, where skin is."""
    faces = [
        grey[top + height // 5 : top + height * 4 // 5, left + width // 5 : left + width * 4 // 5]
        for grey, (left, top, width, height) in found
    ]
    mean = float(np.median([face.mean() for face in faces]))
    white = float(np.median([np.mean(face >= WHITE) for face in faces]))
    level: Level = "look"
    if mean < DARK_FACE:
        what = f"{name} shows the face too dark, {mean:.0f} of 255"
        yield Finding("dark", level, what, "Light the face from the front; lengthen the exposure.", mean)
    elif mean > BRIGHT_FACE or white > WHITE_SHARE:
        what = f"{name} shows {white:.0%} of the face in plain white"
        yield Finding("bright", level, what, "Dim the light on the face; shorten the exposure.", white)


def _grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Luminance, no longer than `DETECTION_PX` on its longer side."""
    grey = picture if picture.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    longer = max(grey.shape)
    if longer > DETECTION_PX:
        size = (grey.shape[1] * DETECTION_PX // longer, grey.shape[0] * DETECTION_PX // longer)
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, dtype=np.uint8)


_cascade_lock = Lock()


@lru_cache(maxsize=1)
def _cascade() -> cv2.CascadeClassifier:
    folder = Path(cv2.__file__).parent / "data"
    return cv2.CascadeClassifier(str(folder / "haarcascade_frontalface_default.xml"))
