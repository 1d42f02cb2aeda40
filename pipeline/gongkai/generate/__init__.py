"""Archives of any size, made of a few reports: other numbers, issuers and years, with known contradictions.

`sources.load_templates` reads the reports, `generator.Generator` makes documents of them by number,
`archive.write_archive` writes them; `gongkai generate` does all three.
"""
