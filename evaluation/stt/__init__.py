"""Speech to text: what is heard of recordings, whole and while they are spoken."""
