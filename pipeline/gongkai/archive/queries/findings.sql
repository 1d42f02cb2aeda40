-- Findings, the gravest first, each with its document.
-- severity: error, warning or notice =
-- issuer: part of the issuer's name =
-- year: year of the report =
-- limit: at most so many = 50
SELECT severity, check_name, issuer, year, message, document_id
FROM findings JOIN documents USING (document_id)
WHERE ($severity IS NULL OR severity = $severity)
    AND ($issuer IS NULL OR contains(issuer, $issuer))
    AND ($year IS NULL OR year = CAST($year AS INTEGER))
ORDER BY list_position(['error', 'warning', 'notice'], severity), issuer, year, document_id, message
LIMIT CAST($limit AS BIGINT);
