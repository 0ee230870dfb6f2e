-- People with an attempt at a funnel that came as far as asked, and no further, beside its segment.
SELECT DISTINCT uid, segment
FROM attempts_
WHERE uid IS NOT NULL AND reached >= $least AND reached <= $most
