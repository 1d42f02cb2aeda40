-- The issuers as documents name them. `issuer_key` is the one spelling of the name; null where the name alone does
-- not say which body it is (教育局; a district that several cities have).
CREATE VIEW issuers AS
SELECT issuer, issuer_key(issuer) AS issuer_key
FROM (SELECT DISTINCT issuer FROM documents WHERE issuer IS NOT NULL);
