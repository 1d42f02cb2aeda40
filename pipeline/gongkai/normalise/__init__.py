"""From what a span says to what it means: values, dates, document numbers, metrics of the ontology."""
