"""Threadkeep history and context for the Microsoft Agent Framework."""
