"""Django's PostgreSQL backend, which asks less often whether the server is there."""
