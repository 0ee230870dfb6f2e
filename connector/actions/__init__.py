"""The built-in actions: each one declared field table and one small perform function."""

from connector.actions.destination import compile_destination

__all__ = ["compile_destination"]
