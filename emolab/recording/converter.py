"""What is known of the converter that a channel came from."""

from __future__ import annotations

from emolab.core.stream import Channel, StreamInfo

FALLING = ("PhysioKit",)  # boards with a Grove GSR: their counts fall when conductance rises


def ends(info: StreamInfo, channel: Channel) -> tuple[float, float] | None:
    """The least and the greatest value of a channel, in its unit; None where they are not known."""
    bits = info.instrument.get("adc_bits") or info.instrument.get("bits")
    return None if not bits else (channel.offset, ((1 << int(bits)) - 1) * channel.scale + channel.offset)


def is_falling(info: StreamInfo, channel: Channel) -> bool | None:
    """Whether values of skin conductance fall when it rises; None where the samples must tell."""
    is_grove = str(info.instrument.get("model", "")) in FALLING and channel.unit == "counts"
    return True if is_grove else None
