"""What the verbs of a session do, and the guarded stream below them."""
