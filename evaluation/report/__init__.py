"""Figures, tables and plots as data, and what makes pages of them."""
