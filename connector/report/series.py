"""One series for everybody and one for each cohort."""

from __future__ import annotations

from collections.abc import Sequence

from connector.errors import ConfigError
from connector.report.answer import Row
from connector.report.asking import Asking
from connector.report.compose import Composition

ALL = "all"
"""Name of the series of everybody."""


class Series:
    """
    The series of a report.

    Args:
        names: cohorts; each is looked up once.

    Raises:
        ConfigError: a cohort is called as the series of everybody is, or there is none of that name.
    """

    def __init__(self, asking: Asking, names: Sequence[str]) -> None:
        if ALL in names:
            raise ConfigError(f"cohort {ALL}: this is what the series of everybody is called")
        self._asking = asking
        self.names = [ALL, *dict.fromkeys(names)]
        self._members = [
            (name, uid) for name in self.names[1:] for uid in sorted(set(asking.members_of(name)))
        ]

    def rows(self, composition: Composition, root: str, of: str) -> list[Row]:
        """Rows of the view ``root``, whose table ``series`` is the view ``of`` (with a ``uid``)."""
        composition.define("series", "of_all", tables={"rows_": of})
        rows = self._asking.rows(composition, root)
        if len(self.names) > 1:
            composition.define_rows("members", {"cohort": "varchar", "uid": "varchar"}, self._members)
            composition.define("series", "of_members", tables={"rows_": of})
            rows += self._asking.rows(composition, root)
        return rows
