"""Shell of the LlamaIndex adapter of threadkeep: importable and empty, the adapter comes with a later release."""
