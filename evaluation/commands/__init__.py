"""The subcommands of `python -m evaluation`: each a parser's options, and what they do."""
