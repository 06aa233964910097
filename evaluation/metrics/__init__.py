"""Figures of what was heard beside what was said: counts of errors and how sure they are."""
