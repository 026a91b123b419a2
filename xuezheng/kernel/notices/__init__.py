"""Notices to people: written with the deed, once; carried to telephones and mail by jobs.

The text holds nothing personal: it says what kind of thing waits and links to it.
"""
