"""Admissions: enrolment of kindergartens, primary and junior schools.

So far the pure part: rules/ (service areas, ladders of tiers, who is of age, forecasts, the public draw),
allocation/ (who gets which place, and its proof), ladders/ (seven rule sets met in practice, as examples
and tests), replay.py (the script that anybody can repeat a draw and an allocation with).  The command
line offers `xuezheng admissions allocate` and `xuezheng admissions verify`.
"""
