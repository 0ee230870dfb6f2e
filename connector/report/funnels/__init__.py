"""
Funnels as SQL: what is asked becomes a plan (``plan``), the plan becomes views (``rows``, ``matching``,
``counting``).

What the definitions leave open is decided here, and stays so:

- *Unused.* A row is used once within an attempt. Where attempts follow each other, rows up to the last one
  that the attempt before has used (in the order of rows) are spent. Otherwise one purchase within the two
  seconds of grace would convert two attempts.
- *Where an attempt ends.* With the last of its rows in their order; or with the row that excludes it; or
  with the window: the next entry is then the first that lies later than entry + window.
- *Reentry* finishes with the latest matched row; of equals the entry that is last in the order of rows
  counts. Broken down, that is decided within each segment.
- *Sessions.* The entry is the first of its session; later steps may lie in later ones, within the window.
  Any row of the person keeps a session alive; 30 minutes without one end it.
- *Broken down without holding*: totals are run, and the first attempt of each (person, segment) counts, or
  of each (person, session, segment). With another property held, its values run side by side in it.
- *A held property* is of one value in an attempt, whatever the attribution.
- *Exclusions with held properties* end attempts of their own values only; without a value they end none.
- *Any order.* Steps between anchored ones are a block. Each step of a block takes its earliest unused row,
  the lower step first. If the first block has several steps, an entry is a row of any of them, and the
  others lie behind it in the order of rows: it is the earliest. An exclusion is for all gaps, and these lie
  between matched rows in their order.
- *First and last defined* go by the steps in specific order and by the rows in any order.
- *A condition on attempts* that is null (an attempt has no value) removes the attempt.
- *The p-value* of a segment is against all segments of its period.

Attempts that follow each other are found by recursion over numbers of rows, one level for each attempt of
the person with the most. DuckDB and our Spark go as deep as it takes; Athena ends with an error at 10.
"""
