"""The pulse: beats, the intervals between them, and what their changes say."""
