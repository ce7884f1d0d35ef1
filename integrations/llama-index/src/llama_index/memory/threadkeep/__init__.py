"""Shell of the LlamaIndex adapter: importable and empty; the adapter comes with a later release."""
