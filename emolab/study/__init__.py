"""A study on disk: who takes part, what they agreed to, and what other people and programs see of it.

    study_file    what the study is called, and the pattern of its pseudonyms
    participants  the list of pseudonyms; its order gives the numbers that decide orders of clips
    sessions      where recordings lie, and what their names say
    notes         what was remarked when a session had ended, read from beside its recording
    consent       every version of the consent page that was shown, with its hash
    identity      names and contacts by pseudonym, in an encrypted file outside the study
    exports_made  which files left the study, so that they can be found again
    remains       everything of one participant; withdrawal erases it, tombstone stays, residue looks
    unpacked      what can be searched in a file: archives, documents, other encodings
    key_file      the key of de-identified exports: which code is whose
    rehearsed     a study in which nobody took part says so, and is kept apart
    check         is all of it in order
    thermal_calibration   how the colour and the thermal camera lie to one another
    kept          small files written whole or not at all, lists that only grow
    export/       sessions, or all of a study, in the formats of others: a file a format
    xdf/          an XDF recording as a session

What may enter: whatever is about a whole study and needs no running engine. A new kind of file that
holds something of a participant lies in their folder, or is named after them, or is found in `remains`;
a test greps for what was forgotten.
"""
