"""Forms of people and places.  A form gathers; the view calls one service with what it gathered."""
