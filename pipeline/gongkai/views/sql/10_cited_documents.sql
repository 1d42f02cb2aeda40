-- The documents cited, those that most documents cite first. Mentions with one title are one document, and mentions of
-- a number alone go to the title that the number is cited with most; `title` and `docno` are the most frequent.
CREATE VIEW cited_documents AS
WITH titled AS (
    SELECT docno, arg_max(title_key, times) AS title_key
    FROM (
        SELECT docno, title_key, count(*) AS times
        FROM citation_mentions WHERE docno IS NOT NULL AND title_key IS NOT NULL
        GROUP BY ALL ORDER BY ALL
    )
    GROUP BY docno
)
SELECT
    mode(title ORDER BY title) AS title,
    mode(docno ORDER BY docno) AS docno,
    count(DISTINCT document_id) AS documents,
    count(*) AS mentions
FROM citation_mentions AS m LEFT JOIN titled USING (docno)
GROUP BY coalesce(m.title_key, titled.title_key, docno)
ORDER BY documents DESC, mentions DESC, title, docno;
