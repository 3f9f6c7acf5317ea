"""What the signals of a stream are worth: each channel judged with what its instrument says of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emolab.core.ring import FrameSlot, SampleRing
from emolab.core.stream import Channel, StreamInfo
from emolab.recording import converter
from emolab.signals.finding import Finding, Quality
from emolab.signals.frames import judge_rgb, judge_thermal
from emolab.signals.quality import judge
from emolab.signals.sound import SILENT_DBFS
from emolab.signals.window import guess_adc_range

SPAN_S = 10.0  # the thresholds of `signals` are for so much
MOST = 16  # channels judged each second: a cap of electrodes would keep the engine from its work
STARTING_S = 3.0


def judge_channels(
    info: StreamInfo, times_s: NDArray[np.float64], raw: NDArray, with_share: bool = True
) -> Iterator[tuple[Channel, Quality]]:
    """Each channel of a board with its quality. `raw`: `(n, k)` as delivered, `times_s`: `(n,)`.

    `with_share`: with how much of it the review and the analysis would use; see `quality.judge`.
    """
    is_guess = converter.counts(info) is None
    guess = guess_adc_range(raw) if is_guess else None  # the channels of a board share its converter
    for at, channel in enumerate(info.channels):
        quality = judge(
            raw[:, at] * channel.scale + channel.offset,
            times_s,
            kind=channel.kind,
            unit=channel.unit,
            adc_range=converter.ends(info, channel, guess),
            is_guess=is_guess,
            is_falling=converter.is_falling(info, channel),
            with_share=with_share,
            name=channel.name,
        )
        yield channel, quality


def worst_finding(info: StreamInfo, ring: SampleRing | FrameSlot) -> Finding | None:
    """The worst thing to say of what a window shows of a stream now; None when all is well.

    Takes about a millisecond a channel, so that the first 16 must do. Faces are not looked for: that
    costs ten times as much. How much can be used is left to the pre-flight: SciPy would come with it.
    """
    if isinstance(ring, FrameSlot):
        newest = ring.read()
        return None if newest is None else _of_picture(info, newest[1])
    if info.kind == "lsl":
        return None
    times_s, values = ring.newest(round(max(info.nominal_rate_hz or 50.0, 20.0) * SPAN_S * 1.2))
    recent = times_s > (times_s[-1] - SPAN_S if len(times_s) else 0.0)
    times_s, values = times_s[recent], values[recent]
    if len(times_s) < 2 or times_s[-1] - times_s[0] < STARTING_S:
        return None
    if info.kind == "audio":
        return _of_level(info, float(values.max()))
    scale = np.array([channel.scale for channel in info.channels])
    offset = np.array([channel.offset for channel in info.channels])
    raw = (
        np.rint((values - offset) / scale) if np.dtype(info.dtype).kind in "iu" else (values - offset) / scale
    )
    some = replace(info, channels=info.channels[:MOST], sample_shape=(min(MOST, len(info.channels)),))
    findings = [
        f for _, quality in judge_channels(some, times_s, raw[:, :MOST], False) for f in quality.findings
    ]
    return Quality.of(findings).findings[0] if findings else None


def _of_picture(info: StreamInfo, picture: NDArray) -> Finding | None:
    channel = info.channels[0]
    if info.kind == "thermal":
        celsius = picture * channel.scale + channel.offset
        quality = judge_thermal(celsius, info.name, unit=channel.unit)
    else:
        quality = judge_rgb(picture, info.name, with_face=False)
    return quality.findings[0] if quality.findings else None


def _of_level(info: StreamInfo, loudest_dbfs: float) -> Finding | None:
    # the ring's floor is −96 dBFS, a hair above the level that counts as silence
    if loudest_dbfs > SILENT_DBFS + 0.5:
        return None
    remedy = "Switch it on, unmute it in the system's sound settings, and check its cable."
    return Finding("silent", "look", f"{info.name} delivers silence", remedy, loudest_dbfs)
