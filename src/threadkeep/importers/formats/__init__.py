"""One module per format; `threadkeep.importers.registry` lists them."""
