"""Where statements run: DuckDB in this process, Spark, or nowhere (Athena's text)."""
