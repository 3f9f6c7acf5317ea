"""emolab: run a music-emotion study, from the first consent to the last figure.

The rooms of the house, from the ground up (imports only ever point downwards):

    core        the vocabulary: errors, clock, stream, event, label, settings, registry, ring
    protocol    what the participant goes through: steps, plan, order, runner, clip bank
    composer    the music that ships with emolab, composed note by note
    devices     one file per instrument
    signals     arrays in, arrays out: what a signal is worth
    recording   one session file, written and read; the only room that knows HDF5
    stats       agreement on tables, each figure with its interval
    study       a study on disk: one session in the formats of others
    session     a live recording: engine process, pumps, hub, player, health, snapshots
    review      a past recording: where an analyst works on labels, with undo and merge
    gui         the only room that knows Qt: console and participant screen
    cli         one verb per file

Each room's docstring is its plaque: what lives there, what may enter, how to add one more.
"""

__version__ = "0.1.0"
