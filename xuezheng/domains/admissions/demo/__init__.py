"""Seasons of the demo district and the story that they tell.

This year's primary season is published: one school has more children than places and took them by the
date of household registration, the rest were sent on; a private school drew.  The junior season is being
checked, the kindergarten season is open.  Last year's are finished.

Reading order: rolls.py (children), areas.py (seasons, schools, service areas), cases.py (envelopes),
telling.py (registrations), closing.py (frozen roll, draw, allocation, result), paths.py (ways
beside the regular one, locked homes), families.py (two families to sign in as, registers that answer
about them), load.py (all of it).
"""

from xuezheng.domains.admissions.demo.load import Kept, load_seasons

__all__ = ["Kept", "load_seasons"]
