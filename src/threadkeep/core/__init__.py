"""The engine and what every feature stands on: names, codecs, caches."""
