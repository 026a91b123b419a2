"""One module for each topic: importing, reviewing, adopting, carrying out, lights."""
