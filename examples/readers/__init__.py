"""One module per format of conversation files: `recognises` an entry, and reads `conversations`."""
