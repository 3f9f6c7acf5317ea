"""How models learn: from a corpus and a recipe to weights with a card, on one core or on a GPU.

    corpus_examples  a corpus as examples for a model; what was left out, and why
    corpus_labels    high or low by a threshold, a class given, a state reported
    trial_inputs     one trial's skin conductance as curves, picture or figures
    clip_music       the music of a folder of clips as figures, made once and kept
    recorded         a whole recording's, made once and cut, to learn from and to judge
    recipes          how each network learns, as it should and as its authors did
    network          a network as a classifier: fit, predict, save, load
    learning         its loop: epochs, early stopping, checkpoints
    memory           what a step frees is kept for the next
    network_files    card and weights of a classifier in a folder
    loading          a classifier out of its folder, whichever it is
    splits           folds by participant, song, both or none; what keeps their parts apart
    scores           figures over folds, beside what chance does
    alarm            leaks, and results too good to be believed

    run              a model on a corpus, fold by fold, into one folder; goes on where it was stopped
    order            what a run's numbers hang on
    fewer_people     how many participants it is of, drawn by lot
    learner          a model taught as an order asks; settings searched within a fold's training part
    fold_work        one fold, in whichever process
    run_folder       the folder of a run: what lies where, whose it is, files whole or not there
    run_examples     a run's examples, read anew in each process
    run_progress     how far it is
    run_results      figures, predictions and pictures out of its folds
    run_card         its card (card_labels, card_learning, card_figures)
    people           from whom a classifier has learnt, as marks
    opened           a trained model with its card, also the one that ships
    predict          what it says of a whole session, clip by clip or in windows (looked: where it looked)
    comparison       runs beside one another, and tests over the same folds (printed: what papers print)

    fer          expression models on FER2013: recipes, the choice on the public set, the card
    fit          the loop: epochs, checkpoints, progress with the time left
    schedule     the learning rate by epoch
    augment      new views of faces, a whole batch at a time
    metrics      accuracy, confusion, three classes, calibration and the temperature that mends it
    checkpoint   everything a killed run needs, in one file

A run is its recipe, its seed and its number of threads: the same three give the same weights to the last
bit, whether it was killed in between or not. What chooses is the public part; the private part is looked
at when all is decided, and the card counts how often. A new kind of model is a file like `fer`.
"""
