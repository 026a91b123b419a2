"""People and places that all systems refer to: kinds of organisation and roles, for now."""
