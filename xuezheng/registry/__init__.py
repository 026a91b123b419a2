"""People and places that all systems refer to: identity and dated placement, nothing else.

Reading order: codes.py and names.py (pure), roles.py, access.py, models/ (places, people, merging),
then services/ by topic.
"""
