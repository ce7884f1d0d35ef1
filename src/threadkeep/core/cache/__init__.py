"""In-process caches of sessions, used between calls."""
