"""Measures a running server from the outside, as its callers hear it."""
