"""The starter voice: five languages in Piper's format, trained on eSpeak NG's own speech."""
