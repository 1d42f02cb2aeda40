-- What reports say against each other (after `gongkai check`), the gravest first.
-- severity: error, warning or notice =
-- issuer: part of the issuer's name =
-- limit: at most so many = 50
SELECT severity, rule, issuer, year, message, list_transform(spans, lambda s: s.document_id) AS documents
FROM archive_findings
WHERE ($severity IS NULL OR severity = $severity) AND ($issuer IS NULL OR contains(issuer, $issuer))
ORDER BY list_position(['error', 'warning', 'notice'], severity), issuer, year, rule, message
LIMIT CAST($limit AS BIGINT);
