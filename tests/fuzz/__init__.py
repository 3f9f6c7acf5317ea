"""Damaged and hostile input: every parser and reader gets what nobody should ever send.

Here for a few seconds each in every test run; `python -m tests.fuzz.campaign --seconds 300` (with
atheris) and `python -m tests.fuzz.files FOLDER SECONDS SEED` go on for as long as one likes.
"""
