"""What the report ``insights`` is made of: measurements, segments, points in time, formulas."""
