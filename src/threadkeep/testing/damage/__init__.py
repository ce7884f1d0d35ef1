"""Stores with damaged records: one of every kind, each field of it wrong, and every public verb.

A reader must take a damaged record for what it is and pass over it, whatever its store.
"""
