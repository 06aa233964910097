"""Knows calls; never imports a model library."""
