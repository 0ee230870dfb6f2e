-- People exposed to each variant of each experiment; without a variant: to several.
SELECT experiment, variant, count(*) AS people
FROM experiment_exposed
GROUP BY experiment, variant
