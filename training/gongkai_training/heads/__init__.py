"""The layers above the encoder: spans in two designs, relations in two designs, all of one forward pass."""
