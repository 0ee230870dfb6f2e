-- Each person's current traits: what the last call says that states them. The code adds the traits.
SELECT uid, max(nullif(user_id, '')) AS user_id
FROM profile_statements
GROUP BY uid
