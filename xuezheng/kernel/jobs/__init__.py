"""Background jobs behind one `enqueue()`; periodic jobs; rescue of jobs whose worker died."""
