"""Entry points of the Lambdas. Each module with a ``handler`` is loaded by one function."""
