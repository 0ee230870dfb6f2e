-- People with rows in the range, or everyone, with their current traits.
SELECT people.*, coalesce(active.events, 0) AS active_events
FROM people
LEFT JOIN people_active AS active ON active.uid = people.uid
WHERE active.uid IS NOT NULL OR $everyone
