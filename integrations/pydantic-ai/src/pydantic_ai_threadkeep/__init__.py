"""Threadkeep conversation stores for Pydantic AI."""
