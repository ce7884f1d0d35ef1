"""The kit for framework adapters: what all of them share. Applications have no need of it."""
