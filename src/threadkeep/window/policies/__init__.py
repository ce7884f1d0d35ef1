"""The built-in window policies."""
