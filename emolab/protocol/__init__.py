"""What a participant goes through: read from a file, laid out in time, and run step by step.

    steps         the words: Clip, the six steps, and Study, a protocol as loaded
    load          a protocol file into a Study; its docstring is the schema
    texts         what the participant reads, one file a language
    bank          the manifest of clips, `stimuli/manifest.csv`
    plan          how many clips fit under the cap, and the arithmetic in words
    order         which state comes when: counterbalanced, the same on every machine
    session_plan  all of it for one participant and session: the steps and their times
    runner        the state machine that walks the steps; commands holds what it says and hears
    marked, schema   YAML with its line numbers, so that every error names file, line and key

Nothing here sleeps, plays, draws or records: time comes in as an argument, what is to be done
goes out as a value. So a whole session runs in a test in milliseconds, and what the tests saw
is what the laboratory gets.

One more protocol is one more file in `protocols/`; one more language is one more file in
`protocols/texts/`. A new kind of step is a dataclass in `steps`, its branch in `runner`, and
its key in the schema of `load`.
"""
