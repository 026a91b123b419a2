"""Who gets which place: allocation of school places, and its proof.  Pure: standard library only.

Reading order: problem.py (input, its checks), mechanisms.py (deferred acceptance, immediate acceptance,
serial), result.py (cut-offs, hash, JSON), verify.py (checks a result without trusting the solver).
"""

from xuezheng.domains.admissions.allocation.mechanisms import allocate
from xuezheng.domains.admissions.allocation.problem import BadInput, Child, Mechanism, Problem
from xuezheng.domains.admissions.allocation.result import Result, digest
from xuezheng.domains.admissions.allocation.verify import problems_of

__all__ = [
    "BadInput",
    "Child",
    "Mechanism",
    "Problem",
    "Result",
    "allocate",
    "digest",
    "problems_of",
]
