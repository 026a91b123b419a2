"""The machine interface, v1: for the provincial portal and other programs.

Reading order: models.py (clients and their tokens), entry.py (who calls, how often, in which reach),
errors.py (one shape), schemas.py, admissions.py (what can be asked), pages.py (who opens and closes access),
urls.py.
"""
