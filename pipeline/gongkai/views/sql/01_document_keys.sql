-- Documents with the one spelling of their own number and title.
CREATE VIEW document_keys AS
SELECT document_id, docno_key(docno) AS docno, title_key(title) AS title_key FROM documents;
