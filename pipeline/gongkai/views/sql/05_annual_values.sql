-- What a report states of its own year, one row a report and metric; reports without a clear issuer too.
CREATE VIEW annual_values AS
SELECT * EXCLUDE (value_year) FROM stated_values WHERE value_year = year;
