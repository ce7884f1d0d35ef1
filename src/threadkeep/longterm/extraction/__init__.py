"""Learning from conversations: what is read, what a model makes of it, and what is kept of that."""
