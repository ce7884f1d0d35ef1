"""Streams in MongoDB: one document is written ahead, so no transactions, no replica set needed."""

from threadkeep.backends.mongodb.backend import MongoBackend
from threadkeep.backends.mongodb.settings import open_mongodb

__all__ = ["MongoBackend", "open_mongodb"]
