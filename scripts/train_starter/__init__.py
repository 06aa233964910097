"""The recipes of the committed starter models."""
