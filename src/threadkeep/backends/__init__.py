"""Stores of streams: one module per engine, none imported before it is asked for."""
