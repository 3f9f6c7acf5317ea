"""A study on disk, as other people and programs are to see it.

export/     one session in the formats of others: a file a format
"""
