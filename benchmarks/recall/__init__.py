"""How much `user.recall` finds of what answers a question, and what it costs."""
