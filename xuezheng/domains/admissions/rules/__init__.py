"""Rules of admission.  Pure: every number, date, order and tier comes in as data of a season.

zones.py: which service areas an address lies in.  ladder.py: the tier of a family at a school, and its
order inside the tier.  ages.py: who is of age.  draw.py: committed rolls, seeds and draw numbers.
forecast.py: yellow and red warnings.
"""
