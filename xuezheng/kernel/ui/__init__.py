"""What all pages are made of: base page, lists, forms, case pages, lights, charts, style guide."""
