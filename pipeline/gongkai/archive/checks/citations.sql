-- The citation graph: one row a citing document and cited one, with the first mention. `cited_document_id` is the
-- archive's document that bears the number, else, where no number is cited, the only one that bears the title.
WITH by_docno AS (
    SELECT docno, min(document_id) AS cited_document_id
    FROM document_keys WHERE docno IS NOT NULL
    GROUP BY docno HAVING count(DISTINCT title_key) = 1
),
by_title AS (
    SELECT title_key, min(document_id) AS cited_document_id
    FROM document_keys WHERE title_key IS NOT NULL
    GROUP BY title_key HAVING count(*) = 1
),
edges AS (
    SELECT
        m.document_id, coalesce(m.docno, m.title_key) AS cited,
        arg_min(m, m.start_offset) AS mention, mode(m.title ORDER BY m.title) AS title, count(*) AS mentions
    FROM mentions AS m
    WHERE coalesce(m.docno, m.title_key) IS NOT NULL
    GROUP BY ALL
)
SELECT
    edges.document_id, edges.cited, edges.mention.docno AS docno, edges.title AS title,
    coalesce(by_docno.cited_document_id, by_title.cited_document_id) AS cited_document_id,
    edges.mentions,
    section_at(edges.document_id, edges.mention.start_offset) AS section_id,
    edges.mention.start_offset AS start_offset, edges.mention.end_offset AS end_offset, edges.mention.text AS text
FROM edges
LEFT JOIN by_docno ON by_docno.docno = edges.mention.docno
LEFT JOIN by_title ON edges.mention.docno IS NULL AND by_title.title_key = edges.mention.title_key
ORDER BY edges.document_id, start_offset, cited;
