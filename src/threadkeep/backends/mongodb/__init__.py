"""Streams in MongoDB: a write-ahead document makes transactions and replica sets unnecessary."""

from threadkeep.backends.mongodb.backend import MongoBackend

__all__ = ["MongoBackend"]
