"""What holds of the pieces of a table, put together to what holds of the whole."""

from collections import Counter, defaultdict
from copy import deepcopy
from typing import Any

import great_expectations as gx
import pandas as pd

from evermodel.expectations import numbers

E = gx.expectations
# What is expected of each row by itself; all else needs to see the rows together.
OF_ROWS = (
    E.ExpectColumnValuesToBeBetween,
    E.ExpectColumnValuesToBeInSet,
    E.ExpectColumnValuesToBeOfType,
    E.ExpectColumnValuesToNotBeNull,
    E.ExpectColumnValuesToNotMatchRegex,
)
EXAMPLES = 10
Key = tuple[str, str | None, str]


class Merged:
    """The results of a suite of which the expectations of single rows are evaluated piece by piece.

    suite: all expectations, of which those that need all rows at once say how many they saw. single: those of
    single rows, and columns: the names of what they are about.
    """

    def __init__(self, suite: gx.ExpectationSuite, rows: int, seen: int) -> None:
        self.rows = rows
        self.single = [one for one in suite.expectations if isinstance(one, OF_ROWS)]
        self.columns = list(dict.fromkeys(one.column for one in self.single))
        others = [
            one
            if isinstance(one, (*OF_ROWS, E.ExpectTableRowCountToBeBetween, E.ExpectTableColumnsToMatchSet))
            else one.copy(update={"description": f"{one.description}, in {seen:,} rows chosen by hash"})
            for one in suite.expectations
        ]
        self.suite = gx.ExpectationSuite(name=suite.name, expectations=others)
        self._found: dict[Key, list[dict[str, Any]]] = defaultdict(list)

    def of_rows(self, piece: pd.DataFrame) -> gx.ExpectationSuite:
        """What is expected of the rows of a piece, but for what is known already.

        piece: the columns. One that is numeric is of its kind; of another, only the kind is asked.
        """
        odd = {
            one.column
            for one in self.single
            if isinstance(one, E.ExpectColumnValuesToBeOfType) and not numbers.is_numeric(piece[one.column])
        }
        asked = [
            one
            for one in self.single
            if isinstance(one, E.ExpectColumnValuesToBeOfType) == (one.column in odd)
        ]
        return gx.ExpectationSuite(name=self.suite.name, expectations=deepcopy(asked))

    def add(self, validated: Any) -> None:
        """Take notice of what holds of a piece."""
        for one in validated.results:
            self.tell(one.expectation_config, {"success": one.success, **one.result})

    def tell(self, config: Any, result: dict[str, Any]) -> None:
        """Take notice of what became of one expectation."""
        self._found[_key(config)].append(result)

    def into(self, validated: Any) -> Any:
        """The results of the sample, with those of all rows where single rows are judged."""
        for one in validated.results:
            kwargs = one.expectation_config.kwargs
            if found := self._found.get(_key(one.expectation_config)):
                one.result = _together(found)
                one.success = _holds(one.result, found, kwargs.get("mostly", 1))
            elif one.expectation_config.type == "expect_table_row_count_to_be_between":
                one.result = {"observed_value": self.rows}
                one.success = self.rows >= kwargs["min_value"]
        held = sum(one.success for one in validated.results)
        validated.success = held == len(validated.results)
        validated.statistics |= {
            "successful_expectations": held,
            "unsuccessful_expectations": len(validated.results) - held,
            "success_percent": 100 * held / len(validated.results),
        }
        return validated


def _key(config: Any) -> Key:
    return config.type, config.kwargs.get("column"), config.description


def _together(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The result of all pieces: rows are counted together, and the first examples are kept."""
    counted = [one for one in found if "element_count" in one]
    if not counted:
        return {"observed_value": found[0]["observed_value"]}
    rows, missing, unexpected = (
        sum(one.get(name) or 0 for one in counted)
        for name in ("element_count", "missing_count", "unexpected_count")
    )
    counts = Counter[Any]()
    for one in counted:
        for value in one.get("partial_unexpected_counts", ()):
            counts[value["value"]] += value["count"]
    return {
        "element_count": rows,
        "missing_count": missing,
        "missing_percent": _percent(missing, rows),
        "unexpected_count": unexpected,
        "unexpected_percent": _percent(unexpected, rows - missing),
        "unexpected_percent_total": _percent(unexpected, rows),
        "unexpected_percent_nonmissing": _percent(unexpected, rows - missing),
        "partial_unexpected_list": _first(counted, "partial_unexpected_list"),
        "partial_unexpected_index_list": _first(counted, "partial_unexpected_index_list"),
        "partial_unexpected_counts": [
            {"value": value, "count": count}
            for value, count in sorted(counts.items(), key=lambda one: (-one[1], str(one[0])))[:EXAMPLES]
        ],
    }


def _first(found: list[dict[str, Any]], name: str) -> list[Any]:
    return [value for one in found for value in one.get(name) or ()][:EXAMPLES]


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def _holds(result: dict[str, Any], found: list[dict[str, Any]], mostly: float) -> bool:
    if "element_count" not in result:
        return all(one["success"] for one in found)
    judged = result["element_count"] - result["missing_count"]
    return result["unexpected_count"] <= (1 - mostly) * judged if judged else True
