"""Languages: what is believed, how a question is answered, what that costs."""
