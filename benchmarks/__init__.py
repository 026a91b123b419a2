"""Claims of speed, each beside a named limit or peer in the same run: `make bench`."""
