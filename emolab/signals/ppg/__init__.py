"""The pulse: beats, the intervals between them, and what their changes say.

    grid         samples as they came, on an even grid; gaps and standstill masked
    sureness     how sure a pulse is, every 5 s: `signals.body.pulse` for many stretches at once
    beats        systolic peaks by two moving averages (Elgendi 2013), to a fraction of a sample
    shape        which way up, how high, how much like their neighbours: movements tell themselves
    intervals    which intervals are the heart's own (Lipponen & Tarvainen 2019, spec 01 §1.7)
    variability  heart rate and how it varies, in time and in frequency
    pulse        `read_pulse`: all of it, once for a session; `Pulse.over`: the figures of a window

Needs SciPy; nothing that starts with the engine imports it.
"""

from emolab.signals.ppg.intervals import VERDICTS
from emolab.signals.ppg.pulse import PULSE_FEATURES, Pulse, read_pulse

__all__ = ["PULSE_FEATURES", "VERDICTS", "Pulse", "read_pulse"]
