"""Shell of the OpenAI Agents adapter of threadkeep: importable and empty, the adapter comes with a later release."""
