"""Benchmarks: how fast and how large threadkeep is, beside the raw driver and its peers."""
