"""Text to speech: `TtsEngine` over Piper voices and eSpeak NG."""

from engines.config import TtsConfig, VoiceConfig
from engines.tts.engine import ALWAYS_THERE, SpeechChunk, SpeechRequest, TtsEngine

__all__ = ["ALWAYS_THERE", "SpeechChunk", "SpeechRequest", "TtsConfig", "TtsEngine", "VoiceConfig"]
