"""A table that workers of Spark split and tell about, each of some of its rows."""

import shutil
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from evermodel.core import data
from evermodel.core.data import SPLITS, Array, Identity, Raw, Spec
from evermodel.core.parts import GROUP, GROUPS, Writer
from evermodel.datasets.dataset import Dataset
from evermodel.datasets.source import Provenance
from evermodel.preparing import inference, split, table
from evermodel.preparing.inference import Seen
from evermodel.preparing.split import Facts
from evermodel.preparing.table import Counted, Survey, Table, Writing
from evermodel.spark import reading, session

ATTEMPTS = "attempts"  # the folder of files that are not whole yet, or are made a second time
DIGEST = 32  # bytes of a sha256


def prepare(name: str, raw: Raw, dataset: Dataset, source: Provenance, folder: Path) -> Spec:
    """As preparing.table.prepare, which tells what is raised; the splits are in Parquet.

    How the table is parted, and in which order what the parts tell is put together, depends on its files
    alone: so the result is the same on any number of workers.
    """
    with session.started(name) as cluster:
        parts = reading.in_parts(raw, cluster)
        tables = [Table(name, one, dataset, one.table.start) for one in parts if one.table]
        surveyed = _together(list(cluster.map(table.survey, tables)))
        part, features = split.parts(name, dataset.split, surveyed.facts), surveyed.features
        surveyed = replace(surveyed, facts=Facts(len(part)))
        parted = np.split(part, [one.start for one in tables[1:]])
        seen: dict[str, Seen] = {}
        for shown in cluster.map(lambda one, here: table.shown(one, features, here), tables, parted):
            inference.merge(seen, shown)
        columns = table.kinds(dataset, features, seen)
        writings = [Writing(one, surveyed, columns) for one in tables]
        nothing, identity, to = writings[0].counted(part), Identity(), folder.absolute()
        for place in (ATTEMPTS, *(f"{split_name}/{data.STORED}" for split_name in SPLITS)):
            (folder / place).mkdir(parents=True)
        counted = deepcopy(nothing)
        for more, digests in cluster.map(
            lambda one, here, first: _write(one, here, nothing, first, to),
            writings,
            parted,
            _first_files(parted),
        ):
            counted.merge(more)
            identity.add_hashes([digests[k : k + DIGEST] for k in range(0, len(digests), DIGEST)])
        shutil.rmtree(folder / ATTEMPTS)
        return writings[0].spec(source, part, counted, identity)


def _together(found: Sequence[Survey]) -> Survey:
    """What the parts of a table tell at the first look."""
    parts = [one.facts.part for one in found if one.facts.part is not None]
    facts = Facts(sum(one.facts.rows for one in found), part=np.concatenate(parts))
    labels = dict.fromkeys(label for one in found for label in one.labels)
    return Survey(facts, found[0].features, tuple(labels), all(one.is_number for one in found))


def _first_files(parted: Sequence[Array]) -> list[list[int | None]]:
    """The number of the first file that each part writes of each split; None if it has no row of that."""
    first, ends = list[list[int | None]](), np.zeros(len(SPLITS), int)
    for part in parted:
        files = -(-np.array(split.sizes(part)) // (GROUP * GROUPS))
        first.append([end if count else None for end, count in zip(ends.tolist(), files, strict=True)])
        ends += files
    return first


def _write(
    writing: Writing, part: Array, counted: Counted, first: Sequence[int | None], folder: Path
) -> tuple[Counted, bytes]:
    """Write the rows of a part, and return what is counted of them and the hashes of those of the test.

    counted: nothing yet. A file appears under its name when it is whole, also if two workers make it.
    """
    attempt = Path(mkdtemp(dir=folder / ATTEMPTS))
    writers = [
        None if number is None else Writer(attempt / name, writing.columns, writing.answers, number)
        for name, number in zip(SPLITS, first, strict=True)
    ]
    hashes = b"".join(one for some in writing.write(part, writers, counted) for one in some)
    for name, writer in zip(SPLITS, writers, strict=True):
        if writer:
            writer.close()
            for file in (attempt / name).iterdir():
                file.replace(folder / name / data.STORED / file.name)
    return counted, hashes
