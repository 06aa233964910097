"""The recipe of the starter speech recognizer: Whisper's architecture, trained from nothing.

Sentences of the closed domain are spoken by eSpeak NG, degraded as rooms and telephone lines do,
and learnt by a small model that CTranslate2 and faster-whisper load as any other Whisper.
`python -m scripts.train_starter.stt --help`
"""
