"""One module for each job of the office; see models/ for the reading order."""
