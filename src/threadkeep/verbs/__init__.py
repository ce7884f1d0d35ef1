"""What the verbs of a session do behind its owner's door."""
