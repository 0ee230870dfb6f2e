-- One row per person who sent a row or was identified. The code adds the traits.
SELECT
    coalesce(seen.uid, traits.uid) AS uid,
    coalesce(seen.user_id, traits.user_id, linked.user_id) AS user_id,
    seen.first_seen_ms,
    seen.last_seen_ms,
    coalesce(seen.events, 0) AS events
FROM people_seen AS seen
FULL JOIN people_traits AS traits ON traits.uid = seen.uid
LEFT JOIN (
    SELECT DISTINCT user_id
    FROM identities
) AS linked ON linked.user_id = coalesce(seen.uid, traits.uid)
