"""Evaluation as a library: pure functions over records; nothing here reads or writes a file."""
