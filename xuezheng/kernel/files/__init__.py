"""Uploaded files: kept by content hash, re-encoded when they are pictures, served by permission.

Reading order: models.py, store.py.
"""
