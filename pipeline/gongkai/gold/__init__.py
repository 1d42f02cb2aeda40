"""Gold data: hand-annotated documents, with their text or as stand-off annotation, and as records to score by."""
