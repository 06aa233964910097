"""Conversations that are hard to hold, with the real engines over the real WebSocket.

`python -m evaluation.scenarios` (`make eval-conversation`) plays them; `--help` tells how.
A scenario is a script of steps (`scene.py`) for one caller; what comes of it is a take (`take.py`),
which is judged by its recorded audio and events (`judge.py`) into figures (`figures.py`).
"""
