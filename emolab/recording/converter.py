"""What is known of the converter that a channel came from."""

from __future__ import annotations

from emolab.core.stream import Channel, StreamInfo

FALLING = ("PhysioKit",)  # boards with a Grove GSR: their counts fall when conductance rises
MOST_BITS = 32


def counts(info: StreamInfo) -> tuple[float, float] | None:
    """The least and the greatest count of a stream's converter; None where its instrument tells no bits."""
    bits = info.instrument.get("adc_bits") or info.instrument.get("bits")
    # what a recording made elsewhere calls bits may be anything
    return (0.0, float((1 << bits) - 1)) if isinstance(bits, int) and 0 < bits <= MOST_BITS else None


def ends(
    info: StreamInfo, channel: Channel, of: tuple[float, float] | None = None
) -> tuple[float, float] | None:
    """The least and the greatest value of a channel, in its unit; None where they are not known.

    `of`: the converter's ends in counts where its instrument does not tell them.
    """
    told = counts(info) or of
    if told is None:
        return None
    low, high = sorted(end * channel.scale + channel.offset for end in told)
    return low, high


def is_falling(info: StreamInfo, channel: Channel) -> bool | None:
    """Whether values of skin conductance fall when it rises; None where the samples must tell.

    What the device file says of the channel goes before what is known of the board.
    """
    if isinstance(channel.falls, bool):
        return channel.falls
    return counts_fall(info, channel) if channel.unit == "counts" else None


def counts_fall(info: StreamInfo, channel: Channel) -> bool | None:
    """The same of a channel's counts, before scale and offset, whatever its unit; None where nobody knows."""
    if isinstance(channel.falls, bool):
        return channel.falls != (channel.scale < 0)
    return True if str(info.instrument.get("model", "")) in FALLING else None
