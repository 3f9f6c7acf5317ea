"""From recordings to the figures and the test of the EmoMusic paper, for one session or a whole study.

What may enter: whatever reads recordings and judges them afterwards, without Qt. The arithmetic itself
is in `signals` (of one stretch of signal), `stats` (of tables) and `plots` (on paper).
"""
