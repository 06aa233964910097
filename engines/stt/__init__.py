"""Speech to text: Whisper, through CTranslate2."""

from engines.stt.engine import SttEngine
from engines.stt.transcription import SttRequest, Transcript
from engines.stt.whisper import Task
from engines.stt.words import SpokenWord

__all__ = ["SpokenWord", "SttEngine", "SttRequest", "Task", "Transcript"]
