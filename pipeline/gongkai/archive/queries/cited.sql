-- The documents that most documents cite.
-- title: part of the title =
-- limit: at most so many = 20
FROM cited_documents
WHERE ($title IS NULL OR contains(title, $title))
ORDER BY documents DESC, mentions DESC, title, docno
LIMIT CAST($limit AS BIGINT);
