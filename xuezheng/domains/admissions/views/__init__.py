"""Pages: family.py for parents on phones; the others for the office, one module for each desk."""
