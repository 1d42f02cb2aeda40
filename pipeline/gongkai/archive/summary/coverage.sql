-- Documents by year of report, what was found in them, and whose they are.
WITH of_documents AS (
    SELECT
        year, count(*) AS documents, count(DISTINCT issuer) AS issuers, sum(characters)::BIGINT AS characters,
        count(*) FILTER (starts_with(doc_type, 'annual_report')) AS annual_reports
    FROM documents GROUP BY year
),
of_facts AS (
    SELECT year, count(*) AS facts, count(metric_id) AS mapped
    FROM facts JOIN documents USING (document_id) GROUP BY year
),
of_findings AS (
    SELECT year, count(*) AS findings FROM findings JOIN documents USING (document_id) GROUP BY year
)
SELECT
    d.year, documents, annual_reports, issuers, characters,
    coalesce(facts, 0) AS facts, coalesce(mapped, 0) AS mapped, coalesce(findings, 0) AS findings
FROM of_documents AS d
LEFT JOIN of_facts AS f ON f.year IS NOT DISTINCT FROM d.year
LEFT JOIN of_findings AS g ON g.year IS NOT DISTINCT FROM d.year
ORDER BY d.year NULLS LAST;
