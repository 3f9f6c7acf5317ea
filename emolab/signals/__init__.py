"""Arrays in, arrays out: what can be computed from a signal without knowing where it came from.

    finding   what a judgement is: `Quality`, made of `Finding`s with level, reason and remedy
    measures  the arithmetic under the judgements: even grids, bands, lines, runs, shares
    quality   `judge`: one channel's last seconds: how much `usable` leaves of them, and tests that say why
    window    what those tests look at
    samples   samples as they came: what can give nothing is told before anything is made of it
    general   tests of any channel: dropouts, flat, at the converter's end, cut off, mains
    body      tests of pulse, breath and skin conductance
    sound     `judge_sound`: silent, clipped, humming
    onsets    when clicks and steps happened, and how late they are after their stimuli
    moments   times of millions of samples in a fraction of their room
    pyramid   the least and greatest of ever longer stretches: a signal of hours drawn at any zoom
    frames    `judge_rgb` and `judge_thermal`: is there a face, lit, warm

and, read once for a whole session and asked for any window afterwards:

    ppg/                   beats, their intervals, heart rate and how it varies
    eda/                   skin conductance: level, responses, cvxEDA, the 128 features
    respiration, breaths   when each breath began, peaked and ended; rate, depth, sighs, pauses
    rsa                    how much the heart follows the breath
    thermal/               how warm face, nose and forehead are, through a film
    loudness, weighting    how loud a clip or a room is, as EBU R 128 counts it
    usable                 how much of each ten seconds can be used: one judgement for all rooms
    mfcc                   cepstral coefficients of thousands of short signals, as librosa defines them
    audio_features         the 6373 figures of ComParE: from tables, or by the extra `opensmile`

What may enter: plain functions of NumPy arrays that return arrays, numbers or frozen facts, with
every threshold's source or reason beside it. What may not: files, devices, clocks, Qt, torch, and
any knowledge of studies or sessions. The room imports `core` alone; SciPy and OpenCV only in the
file that needs them, since the engine loads `quality` at its start.

To judge one more kind of channel: write a function `(Window) -> Iterator[Finding]` in `body`, add
it to `quality.JUDGES`, and make a signal of known fault for it in `tests/signals/`.
"""
