"""What a language says with which words: one row per language, as data, and who speaks which."""
