"""Shared by all systems; knows no school word beyond "organisation".

Reading order, each layer using only those before it: reference, access, audit, files,
indicators, cases, jobs, exchange, ui.  A feature moves here when it has two callers.
"""
