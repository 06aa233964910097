"""Speech to text: Whisper, through CTranslate2."""

from engines.stt.engine import SttEngine
from engines.stt.transcription import SttRequest, Transcript

__all__ = ["SttEngine", "SttRequest", "Transcript"]
