"""Conversations: the scenarios that are hard to hold, and the demonstration's turns."""
