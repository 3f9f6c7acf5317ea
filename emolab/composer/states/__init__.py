"""Five states, one file each: what the literature says a state sounds like, and its seven pieces.

    most_negative   sad, disgust, angry        less_positive   surprise, excited, thrill
    less_negative   fear, scared, nervous      most_positive   happiness, delighted, enjoy
    neutral         neutral, peace, calm

Cues are chosen in the order of their weight for listeners (Eerola, Friberg & Bresin 2013): mode, tempo,
register, dynamics, articulation, timbre; harmony's dissonance and the rhythm's regularity besides.
All clips are normalised to one loudness, so dynamics speak through accents, contrast and brightness
of timbre, not through level. Sources, named by author in the five files:

    Gabrielsson & Lindström 2010, in Juslin & Sloboda (eds), Handbook of Music and Emotion, 367-400
    Juslin & Laukka 2004, J. New Music Research 33:217-238, doi:10.1080/0929821042000317813
    Vieillard et al. 2008, Cognition & Emotion 22:720-752, doi:10.1080/02699930701503567
    Livingstone et al. 2010, Computer Music Journal 34(1):41-64, doi:10.1162/comj.2010.34.1.41
    Eerola & Vuoskoski 2011, Psychology of Music 39:18-49, doi:10.1177/0305735610362821
    Eerola, Friberg & Bresin 2013, Frontiers in Psychology 4:487, doi:10.3389/fpsyg.2013.00487
    Mohn, Argstatter & Wilker 2011, Psychology of Music 39:503-517, doi:10.1177/0305735610378183

The pieces are our own and were not rated by listeners: a laboratory that needs rated material adds it
(`emolab stimuli add`). One more piece is one more `Recipe` in a state's file.
"""
