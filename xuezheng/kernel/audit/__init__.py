"""The trail: who did what, under which post, why.  Appended in the same transaction, sealed after.

Reading order: models.py, trail.py (writing), seal.py (sealing and verifying).
"""
