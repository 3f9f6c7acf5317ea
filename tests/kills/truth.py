"""What was sent and told until a kill, and what of it a mended file holds.

Both boards count: a sample's first two values are the low and high ten bits of its number. Camera
and thermal frames carry theirs in the picture. The logs are on the machine's monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emolab.recording.reader import RecordedStream, Session
from tests.simulators.mjpeg_camera import read_number
from tests.simulators.physiokit_board import row
from tests.simulators.thermal_file import thermal_frame

ROUND = 1 << 20  # where the boards' numbers begin anew
FRAMES = 1 << 16  # and the camera's


@dataclass(frozen=True)
class Kept:
    """What is left of one stream, or of the events (`stream` is then `events`).

    `told`: rows the engine had told to be saved. `lost_ms`: from the last row kept to the last one
    sent before the kill. `holes`: rows missing before the last one kept. `wrong`: rows not as sent.
    """

    stream: str
    told: int
    kept: int
    lost_ms: float
    holes: int = 0
    wrong: int = 0

    @property
    def fewer(self) -> int:
        """Rows told to be saved that are not there."""
        return max(self.told - self.kept, 0)


@dataclass(frozen=True)
class Ending:
    """When recording stopped, killed or in order: on the monotonic clock, and where the file's zero lies."""

    at_s: float
    zero_s: float


class _Log:
    """A log that grows; `news` gives its new lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0

    def news(self) -> list[str]:
        with self.path.open("rb") as file:
            file.seek(self._read)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read += len(whole + newline)
        return whole.decode().splitlines()


class BoardLog(_Log):
    """A board's log: number → (captured, written), monotonic seconds. `first_value`: where values begin."""

    def __init__(self, path: Path, rate_hz: float, first_value: int) -> None:
        super().__init__(path)
        self.rate_hz = rate_hz
        self._first_value = first_value
        self.sent: dict[int, tuple[float, float]] = {}

    def kept(self, stream: RecordedStream, told: int, ending: Ending) -> Kept:
        """How the stream compares with what was sent."""
        for line in self.news():
            captured_ns, written_ns, what, text = line.split("\t")
            if what in ("sent", "line"):
                values = [int(value) for value in text.split(",")][self._first_value :]
                self.sent[values[0] + 1024 * values[1]] = (int(captured_ns) * 1e-9, int(written_ns) * 1e-9)
        samples = stream.samples().astype(int)
        numbers = samples[:, 0] + 1024 * samples[:, 1]
        truth = np.array([row(number, self.rate_hz, 4, "count") for number in numbers]).reshape(-1, 4)
        never_sent = sum(number not in self.sent for number in numbers.tolist())
        steps = np.diff(numbers) % ROUND
        sent_s = [at_s for at_s, written_s in self.sent.values() if written_s <= ending.at_s]
        last_s = self.sent[int(numbers[-1])][0] if len(numbers) and not never_sent else 0.0
        return Kept(
            stream.name,
            told,
            len(numbers),
            lost_ms=_between_ms(max(last_s, ending.zero_s), sent_s),
            holes=int(np.sum(steps[steps > 1] - 1)),
            wrong=int((samples != truth).any(axis=1).sum()) + never_sent + int(np.sum(steps == 0)),
        )


class CameraLog(_Log):
    """The camera's log: number → sent, monotonic seconds."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.sent: dict[int, float] = {}

    def kept(self, session: Session, name: str, told: int, ending: Ending) -> Kept:
        """How the video compares with what was sent."""
        for line in self.news():
            number, sent_ns = line.split(",")
            self.sent[int(number) % FRAMES] = int(sent_ns) * 1e-9
        numbers = [read_number(pixels) for _, pixels in session.video(name).frames()]
        sent_s = [at_s for at_s in self.sent.values() if at_s <= ending.at_s]
        last_s = self.sent.get(numbers[-1], 0.0) if numbers else 0.0
        steps = np.diff(np.array(numbers, int)) % FRAMES
        return Kept(
            name,
            told,
            len(numbers),
            lost_ms=_between_ms(max(last_s, ending.zero_s), sent_s),
            holes=int(np.sum(steps[steps > 1] - 1)),
            wrong=sum(number not in self.sent for number in numbers) + int(np.sum(steps == 0)),
        )


def thermal_kept(stream: RecordedStream, told: int, ending: Ending, frames: int) -> Kept:
    """Frames of a file played in a loop of so many: their numbers, and the first and last in every pixel."""
    pictures = stream.samples()
    numbers = pictures[:, 0, 0].astype(int)
    steps = np.diff(numbers) % frames
    looked_at = (0, -1) if len(numbers) else ()
    wrong = sum(not np.array_equal(pictures[at], thermal_frame(int(numbers[at]))) for at in looked_at)
    lost_ms = _by_the_clock_ms(stream, ending)
    return Kept(stream.name, told, len(numbers), lost_ms, int(np.sum(steps[steps > 1] - 1)), wrong)


def sound_kept(stream: RecordedStream, told: int, ending: Ending) -> Kept:
    """Sound is known by its clock only. What waits in the card's buffers counts as lost."""
    return Kept(stream.name, told, len(stream.samples()), _by_the_clock_ms(stream, ending))


def _between_ms(last_s: float, sent_s: list[float]) -> float:
    return max(max(sent_s, default=0.0) - last_s, 0.0) * 1e3


def _by_the_clock_ms(stream: RecordedStream, ending: Ending) -> float:
    last_s = float(stream.times_s(-1)[0]) if len(stream) else 0.0
    return max(ending.at_s - ending.zero_s - last_s, 0.0) * 1e3
