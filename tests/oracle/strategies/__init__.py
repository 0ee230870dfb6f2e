"""What the engines are compared on: mappings, queries, field tables and events, the odd ones above all."""
