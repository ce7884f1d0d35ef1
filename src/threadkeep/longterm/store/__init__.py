"""How facts and instructions are stored."""
