-- Documents, issuers and numbers by year of report.
SELECT
    year, count(*) AS documents, count(DISTINCT issuer) AS issuers,
    count(*) FILTER (starts_with(doc_type, 'annual_report')) AS annual_reports, sum(characters) AS characters
FROM documents
GROUP BY year
ORDER BY year;
