"""One conversation, three frameworks: each in a process of its own, on the same store."""
