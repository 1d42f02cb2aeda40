-- Document numbers cited with another title than theirs, one row a citing document. The title of a number is that of the
-- archive's own document of that number, else the one that most documents cite it with. If several are as frequent, none
-- is the right one: each of the others is held against the first cited, once. Numbers whose code names no known body are
-- compared among one issuer's documents only: 府办 may be anybody's.
WITH own_numbers AS (
    SELECT
        document_id, e.entity_id, e.start_offset, e.end_offset, e.text, documents.title, keys.title_key,
        keys.docno, e.docno_issuer, true AS own
    FROM document_keys AS keys
    JOIN documents USING (document_id)
    JOIN entities AS e USING (document_id)
    WHERE e.label = 'DOCNO' AND e.docno_canonical = keys.docno AND keys.title_key IS NOT NULL AND NOT e.docno_repaired
),
cited_numbers AS (
    SELECT
        document_id, entity_id, start_offset, end_offset, text, title, title_key,
        docno, docno_issuer, false AS own
    FROM mentions
    WHERE docno IS NOT NULL AND title_key IS NOT NULL AND NOT docno_repaired
),
titled AS (
    SELECT
        m.*, issuers.issuer_key, documents.issuer, documents.year, documents.title AS document_title,
        CASE WHEN m.docno_issuer IS NULL THEN issuers.issuer_key ELSE '' END AS scope
    FROM (FROM own_numbers UNION ALL FROM cited_numbers) AS m
    JOIN documents USING (document_id) LEFT JOIN issuers USING (issuer)
    -- Documents of the archive that bear one number and different titles decide nothing.
    QUALIFY scope IS NOT NULL
        AND (NOT own OR 1 = count(DISTINCT m.title_key) FILTER (own) OVER (PARTITION BY scope, m.docno))
),
firsts AS (
    SELECT scope, docno, title_key, document_id, own, year, arg_min(titled, start_offset) AS mention
    FROM titled
    GROUP BY ALL
),
titles AS (
    SELECT
        scope, docno, title_key, bool_or(own) AS own, count(*) AS times,
        first(document_id ORDER BY own DESC, year, document_id) AS document_id,
        first(mention ORDER BY own DESC, year, document_id) AS mention
    FROM firsts
    GROUP BY scope, docno, title_key
),
ranked AS (
    SELECT
        *,
        rank() OVER (PARTITION BY scope, docno ORDER BY own DESC, times DESC) AS rank,
        row_number() OVER (
            PARTITION BY scope, docno ORDER BY own DESC, times DESC, mention.year, document_id, title_key
        ) AS place
    FROM titles
)
SELECT
    'titles' AS rule, coalesce(f.mention.issuer_key, f.mention.issuer) AS issuer, f.year AS year, docno,
    f.mention.title AS title, r.mention.title AS other_title,
    CASE
        WHEN r.own THEN '原文件'
        ELSE coalesce(r.mention.issuer || r.mention.year || '年的文件', r.mention.document_title, r.document_id)
    END AS other,
    [
        {
            'document_id': f.document_id,
            'section_id': section_at(f.document_id, f.mention.start_offset),
            'fact_id': f.mention.entity_id,
            'start_offset': f.mention.start_offset, 'end_offset': f.mention.end_offset, 'text': f.mention.text
        },
        {
            'document_id': r.document_id,
            'section_id': section_at(r.document_id, r.mention.start_offset),
            'fact_id': r.mention.entity_id,
            'start_offset': r.mention.start_offset, 'end_offset': r.mention.end_offset, 'text': r.mention.text
        }
    ] AS facts
FROM firsts AS f
JOIN ranked AS t USING (scope, docno, title_key)
JOIN ranked AS r USING (scope, docno)
WHERE r.place = 1 AND t.place > 1 AND (t.rank > 1 OR f.document_id = t.document_id)
    AND NOT contains(t.title_key, r.title_key) AND NOT contains(r.title_key, t.title_key)
ORDER BY docno, f.document_id, title;
