"""Views on the tables of a run, as SQL (`sql/*.sql`), and what they ask of Python: when two names are one."""
