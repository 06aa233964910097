"""Tinig beside others: the same callers, sentences, models and machine, one after the other."""
