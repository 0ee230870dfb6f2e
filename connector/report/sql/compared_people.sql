-- Who is compared when no cohort is named: everybody with an event before.
SELECT uid
FROM active_people
WHERE period = 0
