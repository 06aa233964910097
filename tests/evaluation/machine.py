"""A machine, as provenance tells of one."""

MACHINE = {
    "processor": "P",
    "cpus": 2,
    "memory_gib": 8,
    "system": "S",
    "python": "3.11",
    "packages": {"jiwer": "4"},
}
