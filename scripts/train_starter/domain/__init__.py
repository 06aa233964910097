"""The closed domain of the starter models: what callers say and what the assistant answers.

The one source of the starter STT's sentences and of the starter LLM's dialogues, so that what
the one is trained to hear the other is trained to answer.
"""

from scripts.train_starter.domain.dialogues import Dialogue, dialogue
from scripts.train_starter.domain.sentences import (
    LANGUAGES,
    Utterance,
    sentences,
    slot_words,
    utterance,
)

__all__ = [
    "LANGUAGES",
    "Dialogue",
    "Utterance",
    "dialogue",
    "sentences",
    "slot_words",
    "utterance",
]
