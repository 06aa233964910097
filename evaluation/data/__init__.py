"""What the evaluation measures on: recordings with transcripts, and questions with answers.

Every set of recordings is brought once into one plain layout (`layout.py`) and read from there;
`fleurs.py`, `common_voice.py` and `folder.py` know the layouts of others.
"""
