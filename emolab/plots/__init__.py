"""Figures from arrays and tables, without Qt: the same on paper, in the report and in the window.

What may enter: functions that take numbers and return a matplotlib `Figure`. What may not: recordings,
studies, Qt, pyplot (its global state leaks between figures and opens windows).
"""
