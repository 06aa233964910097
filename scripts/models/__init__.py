"""Models from a hub: what there is, fetching it, packing it, and the configuration that uses it.

Standard library only (but for data sets), so that a bundle for an air-gapped machine can be made on
any connected one that has Python.
"""
