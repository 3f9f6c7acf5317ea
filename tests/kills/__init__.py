"""A campaign of kills: the engine dies in every phase of a session, and its file is held against the truth.

    room       boards, cameras and sound card, which live through all kills and log what they send
    victim     one engine, driven as a window does, killed at a moment drawn beforehand
    truth      what was sent and told until then, and what of it a mended file holds
    autopsy    one kill from beginning to end: mended, inspected, compared, gone on with
    campaign   many of them, and the table

A few kills in every test run; `python -m tests.kills.campaign --kills 100` is the whole campaign.
"""
