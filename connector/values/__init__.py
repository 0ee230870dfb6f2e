"""From JSON values to typed ones: coercion, times, names, ids. Pure, and the same for every table."""
