"""Segment's archive against the tables: which events never arrived, and their bytes as captured files."""
