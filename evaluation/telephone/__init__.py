"""Calls by telephone: simulators of both doors, and a proof that they carry a conversation."""
