"""One folder per system.  None imports another; none exists before its work begins."""
