-- Number, sum, mean and sample variance of the amounts of people who have any.
SELECT
    metric, variant, currency, count(*) AS people, sum(total) AS total, avg(counted) AS mean,
    var_samp(counted) AS variance
FROM counted_amounts
GROUP BY metric, variant, currency
