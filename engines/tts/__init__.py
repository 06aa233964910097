"""Text to speech: `TtsEngine` over Piper voices and eSpeak NG."""

from engines.tts.engine import SpeechChunk, SpeechRequest, TtsConfig, TtsEngine, VoiceConfig

__all__ = ["SpeechChunk", "SpeechRequest", "TtsConfig", "TtsEngine", "VoiceConfig"]
