-- The annual reports, each with its year and `issuer_key`.
CREATE VIEW reports AS
SELECT document_id, title, issuer, issuer_key, year, doc_type, published, path, member, url
FROM documents LEFT JOIN issuers USING (issuer)
WHERE starts_with(doc_type, 'annual_report') AND year IS NOT NULL;
