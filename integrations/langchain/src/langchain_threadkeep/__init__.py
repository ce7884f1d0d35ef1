"""Shell of the LangChain adapter of threadkeep: importable and empty, the adapter comes with a later release."""
