"""What torch.hub looks for in a repository of Silero VAD, from the package of it."""

from typing import Any

from silero_vad import load_silero_vad

dependencies = ["torch"]


def silero_vad() -> tuple[Any, tuple[()]]:
    """The model, and none of the helpers, which speech-to-speech does not use."""
    return load_silero_vad(), ()
