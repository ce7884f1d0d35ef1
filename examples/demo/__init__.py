"""The product in one run: `make demo`, or `python -m examples.demo --help`."""


class EndpointError(Exception):
    """The endpoint did not answer as it should; one line for the terminal."""
