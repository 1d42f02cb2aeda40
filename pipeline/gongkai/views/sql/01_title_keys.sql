-- Titles that documents cite, with their one spelling.
CREATE VIEW title_keys AS
SELECT title, title_key(title) AS title_key
FROM (SELECT DISTINCT policy_name AS title FROM entities WHERE label = 'POLICY' AND policy_name IS NOT NULL);
