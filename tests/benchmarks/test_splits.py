import json

import numpy as np
import pytest

from benchmarks import splits
from evermodel.core import data, folders
from evermodel.core.errors import EvermodelError
from evermodel.datasets import dataset
from evermodel.datasets.dataset import Expect, Split

PEOPLE = 20


@pytest.fixture
def images_of_people(workspace):
    """Three rows of each of twenty people: who it is, and a number that no other row has."""
    folder = folders.raw("people")
    folder.mkdir(parents=True)
    numbers = [(row % PEOPLE, row) for row in range(3 * PEOPLE)]
    (folder / "people.csv").write_text("".join(f"{who},{row}\n" for who, row in numbers))
    source = {
        "title": "Made", "edition": "sample", "synthetic": True, "note": "", "licence": "", "terms": "",
        "reader": "table", "options": {"separator": ",", "header": False, "columns": ["label", "row"]},
        "files": {"people.csv": data.file_hash(folder / "people.csv")},
    }  # fmt: skip
    (folder / "source.json").write_text(json.dumps(source))
    split = Split(method="shuffle", test=0.25, validation=0.1, seed=42, groups=("label",))
    some = dataset.load("boston_housing", "sample")
    return some.model_copy(update={"target": "label", "split": split, "expect": Expect(min_rows=1)})


def test_every_split_judges_other_people_none_of_whom_it_has_seen(images_of_people):
    unseen = []
    for prepared in splits.splits("people", images_of_people, "class", 4):
        people = {part: set(np.asarray(split.y).tolist()) for part, split in prepared.splits.items()}
        assert len(people["test"]) == PEOPLE / 4
        assert not people["test"] & (people["train"] | people["validation"])
        assert sum(map(len, people.values())) == PEOPLE
        unseen.append(people["test"])
    assert all(one != other for place, one in enumerate(unseen) for other in unseen[:place])


def test_the_splits_are_the_same_again(images_of_people):
    first, second = (
        [prepared.spec.test_hash for prepared in splits.splits("people", images_of_people, "class", 3)]
        for _ in range(2)
    )
    assert first == second


@pytest.mark.all
def test_it_measures_what_the_pipeline_would_on_each_split(results, by_the_pipeline, edit, capsys):
    splits.main("boston_linear", 2)
    kept = json.loads((results / "boston_linear_splits_sample.json").read_text())
    measured = []
    for old, new in ((113, 0), (0, 1)):
        edit(
            "data/boston_housing/params.yaml",
            f"validation: 0.05, seed: {old}}}",
            f"validation: 0.05, seed: {new}}}",
        )
        measured.append(by_the_pipeline("boston_linear"))
    assert measured[0]["mae"] != measured[1]["mae"]
    for metric in ("mae", "baseline_mae"):
        pair = [one[metric] for one in measured]
        assert kept["mean"][metric] == pytest.approx(np.mean(pair), rel=1e-5)
        assert kept["sd"][metric] == pytest.approx(np.std(pair, ddof=1), rel=1e-3)
    assert (kept["experiment"], kept["profile"], kept["splits"]) == ("boston_linear", "sample", 2)
    assert f"mae {measured[0]['mae']:.4f}, baseline_mae {measured[0]['baseline_mae']:.4f}" in (
        capsys.readouterr().out
    )


def test_nothing_is_written_of_data_that_are_not_there(workspace):
    with pytest.raises(EvermodelError, match=r"data/boston_housing.*fetch"):
        splits.main("boston_linear", 2)
    assert not (workspace / "docs").exists()


def test_a_split_that_no_seed_changes_is_refused(workspace):
    with pytest.raises(EvermodelError, match=r"letter_recognition.*split\.method is order.*seeds\.py"):
        splits.main("letter_mlp", 2)


def test_one_split_has_no_deviation(workspace):
    with pytest.raises(EvermodelError, match="--splits is 1"):
        splits.main("boston_linear", 1)
