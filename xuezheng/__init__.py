"""学政: the platform on which a district education bureau runs its year."""

#: Also in pyproject.toml; a test compares them.
VERSION = "0.1.0"
