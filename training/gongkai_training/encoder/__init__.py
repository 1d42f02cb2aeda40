"""The encoder: pretrained weights out of a package, one token a character, adapted to the genre's language."""
