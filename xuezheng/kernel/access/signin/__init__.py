"""Signing in: rules, lock-out, sessions, passwords, the second factor, and the ways in.

Reading order: rules.py (pure), lockout.py, passwords.py, factor.py, sessions.py, middleware.py, then
ways/ (OIDC, CAS ticket, SMS code behind one interface).  What is audited happens one storey up, in
registry/services/signing_in.py: the kernel's access knows no trail.
"""
