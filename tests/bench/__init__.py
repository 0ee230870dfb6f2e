"""How fast, beside what: ``python -m tests.bench``. Nothing here is a test, nothing asserts a time."""
