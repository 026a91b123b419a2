"""Cases: the envelope of whatever somebody must decide or do by a date.

A system's typed row shares the key of its case and holds the state; the case holds number, phase,
organisation, clocks, moves and attachments.  So all systems share one inbox, one overdue list and
one timeline.  Reading order: flows.py (pure), models.py, service.py (open, advance), selectors.py.
"""
