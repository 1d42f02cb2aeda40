-- Issuers of which the archive has two reports for one year that differ in most of the values they share (or share
-- none): more likely two bodies of one name than two copies of one report.
CREATE VIEW ambiguous_issuers AS
WITH metric_documents AS (
    SELECT issuer_key, year, metric_id, count(*) AS documents, count(DISTINCT value) AS different
    FROM annual_values WHERE issuer_key IS NOT NULL
    GROUP BY ALL
),
several AS (
    SELECT issuer_key, year
    FROM annual_values WHERE issuer_key IS NOT NULL
    GROUP BY ALL
    HAVING count(DISTINCT document_id) > 1
)
SELECT DISTINCT issuer_key
FROM several JOIN metric_documents USING (issuer_key, year)
GROUP BY issuer_key, year
HAVING 2 * count(*) FILTER (documents > 1 AND different = 1) <= count(*) FILTER (documents > 1);
