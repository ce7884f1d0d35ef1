"""Shell of the LangChain adapter: importable and empty; the adapter comes with a later release."""
