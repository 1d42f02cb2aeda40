-- Document numbers cited with another title than most give them, one row a citing document. Numbers whose code names no
-- known body are compared among one issuer's documents only: 府办 may be anybody's.
WITH titled AS (
    SELECT
        m.*, issuers.issuer_key, documents.issuer, documents.year, documents.title AS document_title,
        CASE WHEN m.docno_issuer IS NULL THEN issuers.issuer_key ELSE '' END AS scope
    FROM mentions AS m JOIN documents USING (document_id) LEFT JOIN issuers USING (issuer)
    WHERE m.docno IS NOT NULL AND m.title_key IS NOT NULL AND NOT m.docno_repaired
),
counted AS (
    SELECT scope, docno, title_key, count(DISTINCT document_id) AS times
    FROM titled WHERE scope IS NOT NULL
    GROUP BY ALL
),
usual AS (
    SELECT scope, docno, title_key
    FROM counted
    QUALIFY count(*) OVER (PARTITION BY scope, docno) > 1
        AND row_number() OVER (PARTITION BY scope, docno ORDER BY times DESC, length(title_key) DESC, title_key) = 1
),
firsts AS (
    SELECT scope, docno, title_key, document_id, arg_min(titled, start_offset) AS mention
    FROM titled
    WHERE EXISTS (FROM usual WHERE usual.scope = titled.scope AND usual.docno = titled.docno)
    GROUP BY ALL
),
references_ AS (
    SELECT scope, docno, title_key, min(document_id) AS document_id,
        arg_min(mention, document_id) AS mention
    FROM firsts JOIN usual USING (scope, docno, title_key)
    GROUP BY ALL
)
SELECT
    'titles' AS rule, coalesce(firsts.mention.issuer_key, firsts.mention.issuer) AS issuer, firsts.mention.year AS year, docno,
    firsts.mention.title AS title, r.mention.title AS other_title,
    coalesce(r.mention.issuer || r.mention.year || '年的文件', r.mention.document_title, r.document_id) AS other,
    [
        {
            'document_id': firsts.document_id,
            'section_id': section_at(firsts.document_id, firsts.mention.start_offset),
            'fact_id': firsts.mention.entity_id,
            'start_offset': firsts.mention.start_offset, 'end_offset': firsts.mention.end_offset,
            'text': firsts.mention.text
        },
        {
            'document_id': r.document_id,
            'section_id': section_at(r.document_id, r.mention.start_offset),
            'fact_id': r.mention.entity_id,
            'start_offset': r.mention.start_offset, 'end_offset': r.mention.end_offset, 'text': r.mention.text
        }
    ] AS facts
FROM firsts JOIN references_ AS r USING (scope, docno)
WHERE NOT contains(firsts.title_key, r.title_key) AND NOT contains(r.title_key, firsts.title_key)
ORDER BY docno, firsts.document_id, title;
