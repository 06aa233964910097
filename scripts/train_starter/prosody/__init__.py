"""Trains the classifier that hears whether a voice has finished; see `__main__`."""
