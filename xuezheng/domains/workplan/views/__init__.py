"""plans (list, import, review, adopt), commitments (one and its parts), carrying (milestones)."""
