"""The engines of a configuration, for parts of the evaluation that ask them without a server."""

from contextlib import AbstractAsyncContextManager

from engines.host import Engines, running_engines
from evaluation.terminal import Terminal
from server.config import Config


def engines_of(config: Config, terminal: Terminal) -> AbstractAsyncContextManager[Engines]:
    """Loaded, warm and running inside the context. Raises `ModelError`."""
    return running_engines(
        config.vad,
        config.stt,
        config.llm,
        config.tts,
        config.translate,
        on_death=lambda error: terminal.failure(f"an engine died: {error}"),
    )
