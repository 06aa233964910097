"""Text to speech: is it understood, how soon, and is the audio sound?"""
