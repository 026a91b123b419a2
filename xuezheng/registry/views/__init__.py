"""Pages of people and places, by topic."""
