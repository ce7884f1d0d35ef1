"""Streams in MongoDB: a write-ahead document makes transactions and replica sets unnecessary."""

from threadkeep.backends.mongodb.backend import MongoBackend
from threadkeep.backends.mongodb.settings import open_mongodb

__all__ = ["MongoBackend", "open_mongodb"]
