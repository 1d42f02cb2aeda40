-- The documents that most documents cite.
FROM cited_documents ORDER BY documents DESC, mentions DESC, title, docno LIMIT $most;
