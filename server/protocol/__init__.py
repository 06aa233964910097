"""Wire to commands and events to wire, and nothing else."""
