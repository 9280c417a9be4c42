"""Great Expectations over raw examples: what holds, what does not, and a page to read it on."""

import importlib
import json
import math
import reprlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from evermodel.core import fields, folders, imports
from evermodel.core.columns import Column
from evermodel.core.data import Raw
from evermodel.core.errors import EvermodelError
from evermodel.core.params import FILE
from evermodel.datasets.dataset import Dataset
from evermodel.expectations import numbers, sample

with imports.lean("azure", "boto3", "botocore", "google", "grpc"):  # of clouds, where no data lie here
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    from evermodel.expectations import table
    from evermodel.expectations.merging import Merged

DATA_DOCS = Path("data_docs/index.html")
TEMPLATE = Path(__file__).parent / "expectations" / "data_docs.html"
REJECTED = "rejected.csv"
EXAMPLES = 10
SHOWN = 3


@dataclass(frozen=True)
class Example:
    """A value that breaks an expectation, and its row; the first row of data is 1."""

    row: int
    value: Any

    def __str__(self) -> str:
        """As a sentence shows it."""
        return f"row {self.row}" if self.value is None else f"row {self.row}: {reprlib.repr(self.value)}"


@dataclass(frozen=True)
class Finding:
    """What became of one expectation.

    severity: critical or warning. unexpected: the number of rows that break it, and examples: the
    first of them; observed: what was found where it is not rows that break it.
    """

    type: str
    column: str | None
    severity: str
    expectation: str
    success: bool
    unexpected: int | None
    examples: tuple[Example, ...]
    observed: Any

    def __str__(self) -> str:
        """What does not hold, where, and by which rows or values one sees it."""
        where = f"column {self.column}: " if self.column else ""
        return f'{where}"{self.expectation}" does not hold {self._evidence()}'

    def _evidence(self) -> str:
        if not self.unexpected:
            return f"(found: {self.observed})"
        shown = ", ".join(map(str, self.examples[:SHOWN])) + (", ..." if self.unexpected > SHOWN else "")
        return f"in {self.unexpected} row{'s' * (self.unexpected > 1)} ({shown})"


@dataclass(frozen=True)
class Report:
    """What became of a data set: its findings, the same as a page of Data Docs, and the files left out.

    rejected: each with the reason; tolerated: how many of them there may be.
    """

    dataset: str
    rows: int
    findings: tuple[Finding, ...]
    page: str
    rejected: tuple[tuple[str, str], ...] = ()
    tolerated: int = 0

    def broken(self, severity: str) -> list[Finding]:
        """The findings of that severity that do not hold."""
        return [finding for finding in self.findings if finding.severity == severity and not finding.success]


def validate(name: str, dataset: Dataset, raw: Raw) -> Report:
    """Hold the raw examples against the suite of their kind, expectations/<kind>.py.

    Raises EvermodelError if an expectation can't be evaluated: then the suite is wrong, not the data.
    """
    rows, result = _table(name, dataset, raw) if raw.kind == "table" else _manifest(dataset, raw)
    findings = tuple(_finding(one) for one in result.results)
    tolerated = int(dataset.expect.rejected * (rows + len(raw.rejected)))
    page = _page(name, rows, findings, result)
    return Report(name, rows, findings, page, raw.rejected, tolerated)


def save(report: Report, folder: Path) -> None:
    """Write validation.json, rejected.csv and data_docs/index.html; the same data give the same bytes."""
    count = Counter((finding.severity, finding.success) for finding in report.findings)
    summary = {
        "dataset": report.dataset,
        "success": not report.broken("critical"),
        "rows": report.rows,
        "severities": {
            severity: {"held": count[severity, True], "broken": count[severity, False]}
            for severity in ("critical", "warning")
        },
        "expectations": [asdict(finding) for finding in report.findings],
    }
    text = json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "validation.json").write_text(text + "\n", encoding="utf-8")
    pd.DataFrame(report.rejected, columns=["file", "reason"]).to_csv(folder / REJECTED, index=False)
    (folder / DATA_DOCS).parent.mkdir()
    (folder / DATA_DOCS).write_text(report.page, encoding="utf-8")


def require(report: Report) -> None:
    """Raise EvermodelError that names the first thing that is wrong, if anything critical is."""
    params, shown = folders.dataset(report.dataset) / FILE, folders.validation(report.dataset)
    if len(report.rejected) > report.tolerated:
        (file, reason), count = report.rejected[0], len(report.rejected)
        raise EvermodelError(
            f"data set {report.dataset}: {count} of {report.rows + count} files "
            f"can't be used, but expect.rejected in {params} allows {report.tolerated}: {file} "
            f"{reason}; see {shown / REJECTED}, then mend the files or raise the limit"
        )
    if broken := report.broken("critical"):
        more = f", and {len(broken) - 1} more" if broken[1:] else ""
        raise EvermodelError(
            f"data set {report.dataset}: {broken[0]}{more}; see {shown / DATA_DOCS}, then "
            f"mend the data or {params}"
        )


def _manifest(dataset: Dataset, raw: Raw) -> tuple[int, Any]:
    """The number of images, texts or steps, and what holds of their manifest, with labels by their names."""
    manifest, target = raw.manifest, dataset.target
    if target in manifest and (dataset.classes or not numbers.is_numeric(manifest[target])):
        manifest = manifest.assign(**{target: dataset.labels(manifest[target])})
    manifest = manifest.set_axis(range(1, len(manifest) + 1))
    suite = importlib.import_module(f"evermodel.expectations.{raw.kind}").suite(dataset, manifest)
    return len(manifest), evaluated(suite, manifest, _batches())


def _table(name: str, dataset: Dataset, raw: Raw) -> tuple[int, Any]:
    """The number of a table's rows, and what holds of them."""
    if dataset.engine == "pandas":
        return _examined(dataset, raw, _Pieces(dataset, raw))
    from evermodel.spark import validation as on_spark  # which few have installed

    with on_spark.opened(name, dataset, raw) as rows:
        return _examined(dataset, raw, rows)


Manifest = Callable[[pd.DataFrame], pd.DataFrame]


class Rows(Protocol):
    """All rows of a table, wherever they are read."""

    def take(self) -> sample.Sample:
        """What they show, and some of them."""
        ...

    def examine(self, merged: Merged, columns: Mapping[str, Column], manifest: Manifest) -> None:
        """Hold what is expected of single rows against all of them.

        columns: what is examined, by name. manifest: makes of rows as the source has them what the suite is
        for; its index counts from 1.
        """
        ...


@dataclass(frozen=True)
class _Pieces:
    """Rows that are read here, piece by piece."""

    dataset: Dataset
    raw: Raw

    def take(self) -> sample.Sample:
        return sample.take(self.raw, self.dataset)

    def examine(self, merged: Merged, columns: Mapping[str, Column], manifest: Manifest) -> None:
        assert self.raw.pieces is not None, "a sample was taken of them"
        batches = _batches()
        for piece in self.raw.pieces():
            rows = manifest(piece[merged.columns])
            merged.add(evaluated(merged.of_rows(rows), rows, batches))


def _examined(dataset: Dataset, raw: Raw, every: Rows) -> tuple[int, Any]:
    """What is expected of single rows is held against all of them; what needs all at once, against a sample
    where they are too many.
    """
    found = every.take()
    names = table.examined(dataset, list(found.seen))
    columns = {name: sample.column(name, found, dataset, raw) for name in names}
    labelled = not dataset.targets and dataset.target in columns and not dataset.is_number
    if labelled and (dataset.classes or columns[dataset.target].kind in ("boolean", *fields.TEXTS)):
        columns[dataset.target] = columns[dataset.target].model_copy(update={"kind": "category"})

    def manifest(frame: pd.DataFrame) -> pd.DataFrame:
        rows = sample.typed(frame, columns, raw)
        if labelled and columns[dataset.target].kind == "category" and dataset.target in frame:
            rows = rows.assign(**{dataset.target: dataset.labels(frame[dataset.target])})
        return rows.set_axis(frame.index + 1)

    together, batches = manifest(found.frame), _batches()
    suite = table.suite(dataset, columns, together, found)
    if found.is_whole:
        return found.rows, evaluated(suite, together, batches)
    merged = Merged(suite, found.rows, len(together))
    result = evaluated(merged.suite, together, batches)
    if merged.columns:
        every.examine(merged, columns, manifest)
    return found.rows, merged.into(result)


def _batches() -> Any:
    """What makes a batch of rows, and holds the last one only.

    A context of its own for each would hold its rows until Python looks for circles of references: too late,
    if they are pieces of a large table.
    """
    asset = context().data_sources.add_pandas("raw").add_dataframe_asset("manifest")
    return asset.add_batch_definition_whole_dataframe("all")


def context() -> Any:
    """Great Expectations, of which nothing remains."""
    found = gx.get_context(mode="ephemeral")
    found.variables.progress_bars = ProgressBarsConfig(globally=False)
    return found


def evaluated(suite: gx.ExpectationSuite, manifest: Any, batches: Any, **form: Any) -> Any:
    """What became of a suite. form: of the results, where it is not EXAMPLES of what is unexpected."""
    form = {"result_format": "SUMMARY", "partial_unexpected_count": EXAMPLES} | form
    validated = batches.get_batch({"dataframe": manifest}).validate(suite, result_format=form)
    for one in validated.results:
        # Its own renderer stumbles over NumPy's numbers, so all of them become plain ones.
        one.result = json.loads(json.dumps(one.to_json_dict()["result"]))
    return validated


def _finding(evaluated: Any) -> Finding:
    config, result = evaluated.expectation_config, evaluated.result
    column = config.kwargs.get("column")
    if error := _error(evaluated.exception_info):
        raise EvermodelError(
            f"{config.type} of column {column} can't be evaluated: {error}; mend src/evermodel/expectations"
        )
    rows, values = result.get("partial_unexpected_index_list", ()), result.get("partial_unexpected_list", ())
    return Finding(
        type=config.type,
        column=column,
        severity=config.severity.value,
        expectation=config.description,
        success=evaluated.success,
        unexpected=result.get("unexpected_count"),
        examples=tuple(Example(row, _plain(value)) for row, value in zip(rows, values, strict=True)),
        observed=_observed(result),
    )


def _error(info: Mapping[str, Any]) -> str | None:
    """The message of an exception; Great Expectations keeps one for all, or one for each metric."""
    for entry in [info] if "raised_exception" in info else info.values():
        if entry["raised_exception"]:
            return " ".join(str(entry["exception_message"]).split())
    return None


def _observed(result: Mapping[str, Any]) -> Any:
    columns = result.get("details", {}).get("mismatched", {})
    lists = {**columns, "missing": result.get("partial_missing_list", columns.get("missing"))}
    found = [f"{what} {', '.join(map(str, names))}" for what, names in sorted(lists.items()) if names]
    value = result.get("observed_value")
    if isinstance(value, float):  # of a mean, the last digits depend on the order in which a processor adds
        value = _plain(float(f"{value:.6g}"))
    return "; ".join(found) or value


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, Mapping):
        return ", ".join(map(str, value.values()))
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _page(name: str, rows: int, findings: tuple[Finding, ...], result: Any) -> str:
    """The results as Great Expectations renders them, in a frame of our own.

    Its frame shows the time and random ids, and loads scripts and styles from seven hosts; ours is whole
    in itself, so that the page is the same at any time and reads without a network.
    """
    document = ValidationResultsPageRenderer().render(result)
    view = DefaultJinjaPageView(custom_views_directory=str(TEMPLATE.parent))
    broken = sorted((one for one in findings if not one.success), key=lambda one: one.severity)
    return str(
        view.render(document, template=TEMPLATE.name, name=name, rows=rows, findings=findings, broken=broken)
    )
