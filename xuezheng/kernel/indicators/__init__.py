"""Facts and figures: flat views of each system, indicators in plain SQL over them, their readings.

A system publishes `facts/*.sql` and declares `Indicator`s in its indicators.py with the SQL beside.
Reading order: definitions.py, facts.py, models.py, compute.py, proof.py.
"""
