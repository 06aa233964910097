"""The ablation of the ways to an answer, as a part of the report."""
