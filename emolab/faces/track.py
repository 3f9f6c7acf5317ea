"""One face followed from detection to detection, since detecting costs ten times as much as following.

Every tenth frame is detected. Where the two detections about a stretch both find one face, and the face
of the first is found again, by its looks, in each frame between, at about the place between the two, the
frames between take their boxes from there. Where anything is amiss the frame in the middle is detected,
too, and so on in the halves, down to single frames if need be.

So a face that goes or comes, or a second one, is noticed at its very frame whenever it stays for
`EVERY` frames or longer (a third of a second of video), a face that is covered or gone also when that
is shorter; a second one that is there for less than that can be missed. Between two detections that
both find none, or several, no face is sought: nothing is judged there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import ConfigError
from emolab.faces.detect import Detector, Found, Image
from emolab.faces.fer import SIDE_PX

EVERY = 10  # frames

# Of a box's height: a square of this about the middle of the box is what FER2013's own pictures show of
# theirs (median of 347 of its public set, quartiles .84 and 1.02)
CROP = 0.94
# Correlation; measured: moved .99, half lit 1.0, tilted by 5° .91, half covered .64 to .79, a cat or a wall
# below .4. The detector itself gives up on a half covered face
ALIKE = 0.8
_REACH_PX = SIDE_PX // 4  # how far beside the expected place it is sought, in pixels of the crop
_FLAT = 2.0  # grey levels, SD


@dataclass(frozen=True)
class Sight:
    """What was seen in one frame.

    `count`: faces. The rest is told only where that is one: `box` px as in `Found`, `confidence` of the
    detector (of the less sure of two, between them), `face` `(48, 48)` grey as expression models want
    it. `detected`: by the detector itself, not followed.
    """

    count: int
    box: NDArray[np.float32] | None = None
    confidence: float = float("nan")
    face: Image | None = None
    detected: bool = True


NOT_READ = Sight(0, detected=False)


def follow(
    frames: Iterable[tuple[float, Image | None]], detector: Detector, every: int = EVERY
) -> Iterator[tuple[float, Sight]]:
    """The sight of each frame with its time, in order, at most `every` frames behind.

    `frames`: `(time_s, pixels)`, pixels `(h, w, 3)` uint8 RGB, or None for a frame that could not be
    read. `every` 1 detects each frame.
    """
    if every < 1:
        raise ConfigError(f"a face cannot be detected every {every} frames; 1 detects each of them")
    stretch: list[tuple[float, Image | None]] = []
    known: Sight | None = None  # of the first of the stretch
    readable = 0
    for time_s, pixels in frames:
        stretch.append((time_s, pixels))
        if pixels is None:
            continue
        readable += 1
        if known is None or readable == every:
            sights = _stretch(stretch, known, detector)
            yield from sights[:-1]
            stretch, known, readable = stretch[-1:], sights[-1][1], 0
    if known is not None:
        last = max(at for at, (_, pixels) in enumerate(stretch) if pixels is not None)
        yield from _stretch(stretch[: last + 1], known, detector)
        stretch = stretch[last + 1 :]
    yield from ((time_s, NOT_READ) for time_s, _ in stretch)


def crop(frame: Image, box: NDArray[np.float32], grow: float = 1.0) -> Image:
    """The grey square that expression models see of a face, `(48, 48)` times `grow`.

    What lies beyond the frame is its edge repeated.
    """
    left, top, right, bottom = (float(edge) for edge in box)
    side = CROP * (bottom - top) * grow
    x, y = round((left + right - side) / 2), round((top + bottom - side) / 2)
    size = max(round(side), 1)
    height, width = frame.shape[:2]
    inside = frame[max(y, 0) : max(y + size, 0), max(x, 0) : max(x + size, 0)]
    if not inside.size:
        return np.zeros((round(SIDE_PX * grow),) * 2, np.uint8)
    grey = cv2.cvtColor(np.ascontiguousarray(inside), cv2.COLOR_RGB2GRAY)
    beside = (max(-y, 0), max(y + size - height, 0), max(-x, 0), max(x + size - width, 0))
    if any(beside):
        grey = cv2.copyMakeBorder(grey, *beside, cv2.BORDER_REPLICATE)
    to = round(SIDE_PX * grow)
    smooth = cv2.INTER_AREA if size > to else cv2.INTER_LINEAR
    made: Image = cv2.resize(grey, (to, to), interpolation=smooth).astype(np.uint8)
    return made


def _stretch(
    frames: Sequence[tuple[float, Image | None]], known: Sight | None, detector: Detector
) -> list[tuple[float, Sight]]:
    """The sights of a stretch whose last frame can be read, as can the first where it is known."""
    pixels = [image for _, image in frames if image is not None]
    sights: list[Sight | None] = [None] * len(pixels)
    sights[0] = known or _sight(pixels[0], detector)
    if len(pixels) > 1:
        sights[-1] = _sight(pixels[-1], detector)
        _fill(pixels, sights, 0, len(pixels) - 1, detector)
    seen = iter(sights)
    return [(time_s, NOT_READ if image is None else next(seen) or NOT_READ) for time_s, image in frames]


def _fill(
    pixels: Sequence[Image], sights: list[Sight | None], first: int, last: int, detector: Detector
) -> None:
    """Find out about the frames between two whose sights are known."""
    if last - first < 2:
        return
    begin, end = sights[first], sights[last]
    assert begin is not None and end is not None
    between = _between(pixels[first + 1 : last], begin, end)
    if between is not None:
        sights[first + 1 : last] = between
        return
    middle = (first + last) // 2
    sights[middle] = _sight(pixels[middle], detector)
    _fill(pixels, sights, first, middle, detector)
    _fill(pixels, sights, middle, last, detector)


def _between(pixels: Sequence[Image], begin: Sight, end: Sight) -> list[Sight] | None:
    """What the frames between two detections show, None when that takes another detection."""
    if begin.count != 1 or end.count != 1:
        both = begin.count == end.count
        return [Sight(begin.count, detected=False)] * len(pixels) if both else None
    assert begin.box is not None and end.box is not None and begin.face is not None and end.face is not None
    if not _alike(begin.face, end.face):
        return None
    confidence = min(begin.confidence, end.confidence)
    found = []
    for at, image in enumerate(pixels):
        share = (at + 1) / (len(pixels) + 1)
        box = _found_again(image, (1 - share) * begin.box + share * end.box, begin.face)
        if box is None:
            return None
        found.append(Sight(1, box, confidence, crop(image, box), detected=False))
    return found


def _found_again(image: Image, expected: NDArray[np.float32], face: Image) -> NDArray[np.float32] | None:
    """Where the face is, near its expected box; None when nothing there looks like it."""
    grow = 1 + 2 * _REACH_PX / SIDE_PX
    around = crop(image, expected, grow)
    if face.std() < _FLAT or around.std() < _FLAT:
        return None
    alike = cv2.matchTemplate(around, face, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(alike)
    if not best >= ALIKE:
        return None
    px = CROP * float(expected[3] - expected[1]) / SIDE_PX
    right, down = (x - _REACH_PX) * px, (y - _REACH_PX) * px
    return (expected + np.array([right, down, right, down], np.float32)).astype(np.float32)


def _alike(one: Image, other: Image) -> bool:
    if one.std() < _FLAT or other.std() < _FLAT:
        return False
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1]) >= ALIKE


def _sight(image: Image, detector: Detector) -> Sight:
    found: Found = detector.find(image)
    if len(found) != 1:
        return Sight(len(found))
    box = found.boxes[0]
    return Sight(1, box, float(found.confidence[0]), crop(image, box))
