"""Excel in and out.  So far: lists out."""
