"""For a whole room on one server: submissions, and how a seat is started."""
