"""People and places of the demo district at true size, and the story that their figures tell.

Reading order: plan.py (which site has how many classes, and the story), pupils.py and families.py
(children, year by year), staff.py, places.py, invent.py (names and numbers), rows.py (lines for COPY),
load.py (all of it).  Everything follows from one source of chance and the day.
"""

from xuezheng.registry.demo.load import Scale, load_people

__all__ = ["Scale", "load_people"]
