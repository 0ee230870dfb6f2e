-- Return events with their amount.
SELECT uid, time_ms, $point AS point, $currency AS amount_currency, $amount AS amount, row_id
FROM activity
WHERE uid IS NOT NULL AND time_ms >= $from_ms AND $amount IS NOT NULL AND $back
