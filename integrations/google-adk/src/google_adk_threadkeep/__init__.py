"""Threadkeep sessions and memory for Google ADK."""
