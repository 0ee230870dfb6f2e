"""Groups of people: defined by conditions or by a report, kept as snapshots, delivered to channels."""
