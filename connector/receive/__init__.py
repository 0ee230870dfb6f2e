"""From an HTTP request to bytes that are kept: size, signature, shape, and nothing about meaning."""
