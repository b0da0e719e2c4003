"""Photos of paper: load them, and make digits of the ink that is on them. `digitlab.paper` is built on it."""
