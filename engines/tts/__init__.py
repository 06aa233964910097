"""Text to speech: `TtsEngine` over Piper voices and eSpeak NG."""

from engines.config import TtsConfig, VoiceConfig
from engines.tts.engine import SpeechChunk, SpeechRequest, TtsEngine

__all__ = ["SpeechChunk", "SpeechRequest", "TtsConfig", "TtsEngine", "VoiceConfig"]
