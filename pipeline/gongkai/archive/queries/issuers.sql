-- Issuers with their reports, facts' years and findings; `clear` says whether their reports are compared.
-- issuer: part of the name =
SELECT
    issuer, issuer_key, count(*) AS reports, min(year) AS first, max(year) AS last,
    issuer_key IS NOT NULL AND issuer_key NOT IN (FROM ambiguous_issuers) AS clear
FROM reports
WHERE $issuer IS NULL OR contains(issuer, $issuer)
GROUP BY issuer, issuer_key
ORDER BY reports DESC, issuer;
