"""Checkpoints of a training that took hours: taken up when that is asked for, never replaced."""

import sys
from pathlib import Path


def goes_on(checkpoint: Path, *, resume: bool) -> bool:
    """Whether there is a checkpoint to go on from; ends the program if that was not asked for."""
    if checkpoint.exists() and not resume:
        sys.exit(
            f"{checkpoint} is there: add --resume to go on from it (make starter ARGS=--resume), "
            "or remove it."
        )
    return checkpoint.exists()
