"""What is going on: values and pure functions on them. No Qt, no torch."""
