"""Law as data: dated policy parameters with source and certainty, and the working-day calendar.

Read models.py, then calendar.py (pure) and parameters.py.
"""
