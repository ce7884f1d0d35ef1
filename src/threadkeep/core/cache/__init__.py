"""What is remembered of sessions between calls."""
