"""Forms, one module for each desk, as in views/."""
