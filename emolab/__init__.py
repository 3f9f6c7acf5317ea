"""emolab: run a music-emotion study, from the first consent to the last figure.

The rooms of the house, from the ground up (imports only ever point downwards):

    core        the vocabulary: errors, clock, stream, event, label, settings, registry, ring
    protocol    what the participant goes through: steps, plan, order, runner, clip bank
    composer    the music that ships with emolab, composed note by note
    devices     one file per instrument
    signals     arrays in, arrays out: what a signal is worth, and what it says of the body
    recording   one session file, written and read; the only room that knows HDF5
    stats       agreement, effects and tests on tables, each figure with its interval
    plots       figures from arrays and tables, on paper and in windows
    faces       faces and expressions read from frames
    models      networks and classical models that read states from a body, one file per paper
    datasets    one file per corpus
    study       a study on disk: who takes part, consent, withdrawal; sessions in the formats of others
    session     a live recording: engine process, pumps, hub, player, health, snapshots
    review      a past recording: where an analyst works on labels, with undo and merge
    analysis    from recordings to the figures and tests of a study, and the report
    training    how models learn
    gui         the only room that knows Qt: console, participant screen, review, analysis
    cli         one verb per file

Each room's docstring is its plaque: what lives there, what may enter, how to add one more.
"""

__version__ = "0.1.0"
