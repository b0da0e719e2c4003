"""What a whole class on one server needs: the drawings that it submits, their view, and the start of a seat."""
