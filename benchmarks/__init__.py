"""Measurements: latency, concurrency and peers."""
