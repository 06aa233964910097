"""Turn-taking: who speaks, who is heard, what is remembered."""
