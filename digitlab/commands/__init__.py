"""The `digitlab` command."""
