"""Questions asked of the tables: SQL written once in DuckDB's dialect, run where the tables are."""
