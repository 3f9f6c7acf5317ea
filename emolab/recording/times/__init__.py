"""When each sample was taken, worked out once all of a session is known: arrays in, arrays out.

    refine      the best times of each stream, written into the file when it is closed
    observed    what is known of each chunk: which rows and counts, when stamped, when in hand
    timing      a device's clock laid onto the session's by a robust line
    missing     what a board that counts nothing lost: has it a crystal, or does it pace itself
    crystal     whole samples missing, a straight line between
    paced       no period that lasts: followed, step by step
    steps       what those two speak of, and how ill they explain what was seen

What was stamped live is never changed: refined times lie beside it (see `layout`). How well this does
is measured by `tests/bench/bench_timing.py`, against what pyxdf makes of the same data.
"""
