"""An invented island district that tells one story: data/, and the loader over the systems' demo.py."""
