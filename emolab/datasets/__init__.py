"""Public corpora, read as they lie on disk: one file per corpus, no copy of anyone's data in here.

    dataset    the contract: what a corpus is, where to get it, its trials, one trial
    amigos     16 short and 4 long videos watched by 40 people: skin, ratings
    deap       40 music videos watched by 32 people: skin, breath, pulse, ratings
    fer2013    35,887 grey faces of 48×48 in seven classes, with their split
    hku956     956 pieces of music heard by 30 people: pulse, skin and temperature at the wrist, ratings
    pmemo      choruses of 767 pop songs heard by 457 people: skin, ratings, 6373 figures of the music
    sessions   emolab's own studies: clips heard and reported on (a folder, so not in `DATASETS`)
    rated      what corpora share in which subjects rated valence and arousal
    reasons    why trials were left out, told once for all of one reason
    tables     opened so that whatever is wrong with one is told with its name
    thresholds high or low, by a threshold of each subject's own
    pickled    arrays out of a pickle, without running what it says
    cache      what was computed from a trial's arrays, found again by content and parameters

A corpus knows its folder layout and its licence and nothing of models; a split that is published with it
is part of it. A new one is a file here, a line in `DATASETS`, and a test that writes a tiny folder of the
documented layout.
"""

DATASETS = {
    "amigos": "emolab.datasets.amigos:Amigos",
    "deap": "emolab.datasets.deap:Deap",
    "fer2013": "emolab.datasets.fer2013:Fer2013",
    "hku956": "emolab.datasets.hku956:Hku956",
    "pmemo": "emolab.datasets.pmemo:Pmemo",
}
