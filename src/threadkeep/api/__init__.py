"""The objects an application holds: Memory, Session, User and their collections."""
