"""The access matrix of admissions: the tiny season, a family with one application, its school, others."""
