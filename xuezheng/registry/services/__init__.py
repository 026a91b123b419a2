"""One function per verb on people and places, by topic.  Nothing else writes these tables."""
