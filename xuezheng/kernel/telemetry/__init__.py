"""What the program says about itself: log lines and counters, with nothing personal in them.

Reading order: words.py (errors in safe words), logs.py (how a line is written), requests.py (one line and
one count for each request).
"""
