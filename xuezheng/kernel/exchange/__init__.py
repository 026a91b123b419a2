"""Excel in and out: one declared table for template, import, export.

A system declares a `Table` (table.py) with a `Keeper` that finds, makes, changes and removes its rows,
and lists it as `TABLES` in its `exchange` module.  The way of a file: cells.py (one cell), reading.py
(one workbook), comparing.py (new, changed, unchanged, error), applying.py (write), undoing.py.  Nothing
is written before a person confirms.  Whatever waits between these steps is sealed (staging.py).
"""
