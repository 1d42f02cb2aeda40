-- Documents that a document cites, one row a mention: a title, a number, or a title with its number. A short form
-- (《条例》 after 以下简称) stands for what it is short for. `docno` is canonical, `title_key` the title's one spelling. A document's own
-- title and number are no citations.
CREATE VIEW citation_mentions AS
WITH aliases AS (
    SELECT document_id, head AS entity_id, any_value(tail) AS full_id
    FROM relations WHERE label = 'alias_of' GROUP BY ALL
),
numbers AS (
    SELECT document_id, tail AS entity_id, any_value(head) AS number_id
    FROM relations WHERE label = 'number_of' GROUP BY ALL
),
policies AS (SELECT * FROM entities WHERE label = 'POLICY' AND policy_name IS NOT NULL),
docnos AS (SELECT * FROM entities WHERE label = 'DOCNO' AND docno_canonical IS NOT NULL),
mentions AS (
    SELECT
        p.document_id, p.entity_id, p.start_offset, p.end_offset, p.text,
        coalesce(whole.policy_name, p.policy_name) AS title,
        coalesce(own.number_id, of_whole.number_id) AS number_id
    FROM policies AS p
    LEFT JOIN aliases USING (document_id, entity_id)
    LEFT JOIN policies AS whole ON whole.document_id = p.document_id AND whole.entity_id = aliases.full_id
    LEFT JOIN numbers AS own ON own.document_id = p.document_id AND own.entity_id = p.entity_id
    LEFT JOIN numbers AS of_whole ON of_whole.document_id = p.document_id AND of_whole.entity_id = aliases.full_id
    UNION ALL
    SELECT d.document_id, d.entity_id, d.start_offset, d.end_offset, d.text, NULL, d.entity_id
    FROM docnos AS d
    WHERE NOT EXISTS (FROM numbers WHERE numbers.document_id = d.document_id AND numbers.number_id = d.entity_id)
)
SELECT
    m.document_id, m.entity_id, m.start_offset, m.end_offset, m.text,
    m.title, title_keys.title_key,
    d.docno_canonical AS docno, d.docno_issuer, d.docno_repaired
FROM mentions AS m
LEFT JOIN title_keys USING (title)
LEFT JOIN docnos AS d ON d.document_id = m.document_id AND d.entity_id = m.number_id
JOIN document_keys AS own ON own.document_id = m.document_id
WHERE coalesce(own.docno <> d.docno_canonical, true)
    AND coalesce(own.title_key <> title_keys.title_key, true);
