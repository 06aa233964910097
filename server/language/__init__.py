"""What was said, in which language, and how an answer is cut and spoken."""
