"""The simulated participant: one body, and what each instrument sees of it.

`participant.SimulatedParticipant` is the person: told what is played, asked for answers, and at
the end for the truth. `body` is the physiology (beats, breaths, skin, temperatures) as functions
of session time that never look ahead; `ease` and `responses` are what it is made of, `effect` says what
each state does to it and how much that varies. `answers` is how the person uses the five buttons,
`countenance` what the face shows of it all. `scenes` turns the body into the samples of a board, a
camera, a thermal camera and a microphone: `photo` (with `grimace`) is the face as photographed,
`portrait` as drawn, `heat` as warm. `pace` says when a sample is taken, `faults` what goes wrong on
purpose.

The instrument itself, with its key by key documentation, is `devices/simulated.py`, the only
door to this folder. Numbers carry their literature. A new response of the body is one column in
`responses.RESPONSES` and one curve in `body`; a new kind of instrument is one class in `scenes`.

What may not enter: real devices, files other than the truth (the photograph is scikit-image's),
anything that needs a clock to be tested.
"""
