-- The rows of everybody, as a series of its own.
SELECT CAST('all' AS VARCHAR) AS cohort, rows_.*
FROM rows_
