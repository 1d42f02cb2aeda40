"""Studies: variants of one training run, with several seeds each, run one after the other and compared on dev."""
