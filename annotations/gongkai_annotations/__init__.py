"""Gold data and the annotation loop: push, pull, agreement, sampling. Needs the extra `annotate`."""
