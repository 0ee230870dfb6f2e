"""Answers as pages that need no network, and as pictures that need no browser."""
