"""Rule taggers: the rows of `configs/rules/` applied to the folded view of a document."""
