-- The rows of members, a series per cohort.
SELECT members.cohort, rows_.*
FROM rows_
INNER JOIN members ON members.uid = rows_.uid
