-- How many findings of each check and severity each issuer's documents of a year have, with the number of documents.
CREATE VIEW findings_by_issuer AS
SELECT
    issuer, year, check_name, severity, count(*) AS findings, count(DISTINCT document_id) AS documents
FROM findings JOIN documents USING (document_id)
GROUP BY ALL;
