"""What other departments know, asked through one interface (base.py)."""
