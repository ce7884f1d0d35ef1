"""Shell of the OpenAI Agents adapter: importable, empty; the adapter comes with a later release."""
