"""The lake opened for questions: DuckDB in process, the tables as views."""
