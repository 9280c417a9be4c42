"""What is written, and that nothing is overwritten."""

from pathlib import Path

import pytest

from evermodel.adding import entry
from evermodel.adding.entry import Entry
from evermodel.core import params
from evermodel.core.errors import EvermodelError
from tests.settings import DATASET, EXPERIMENT, refusal


def made(**changes):
    dataset = {key: value for key, value in DATASET.items() if key != "name"} | changes
    experiment = {key: value for key, value in EXPERIMENT.items() if key not in ("name", "dataset")}
    train = experiment["train"] | {"epochs": 2}
    return Entry(dataset, {"one": experiment | {"train": train}, "two": experiment | {"train": train}})


def test_both_experiments_are_eight_lines_and_say_what_was_meant():
    assert entry.write("shop", made()) == ["shop_one", "shop_two"]
    for name in ("shop_one", "shop_two"):
        file = Path(f"experiments/{name}/params.yaml")
        assert len(file.read_text().splitlines()) == 8
        assert params.read(file)["dataset"] == "shop"
    assert params.read(Path("data/shop/params.yaml")) == {"name": "shop"} | made().dataset
    template = Path("pipelines/dataset.yaml").read_bytes()
    assert Path("data/shop/dvc.yaml").read_bytes() == template


@pytest.mark.parametrize(
    "names", [["no", "yes", "007", "1e5", "True", "~", "a: b", "#", "'", '"', "ä", " x ", "[a", "1_0", ""]]
)
def test_whatever_a_column_is_called_comes_back(names):
    values = {"drop": names, "columns": {name: {"kind": "text"} for name in names}}
    Path("written.yaml").write_text(entry.text(values), encoding="utf-8")
    assert params.read(Path("written.yaml")) == values


@pytest.mark.parametrize("there", ["data/shop", "experiments/shop", "experiments/shop_two", "data/shop_one"])
def test_what_is_there_stays_and_nothing_is_written_beside_it(there):
    Path(there).mkdir(parents=True)
    assert there in refusal(entry.write, "shop", made())
    assert [path for path in Path().glob("*/*/*") if path.parts[0] != "pipelines"] == []
    assert sorted(map(str, [*Path("data").glob("*"), *Path("experiments").glob("*")])) == [there]


def test_what_nobody_could_read_is_not_written():
    with pytest.raises(EvermodelError, match=r"data/shop/params\.yaml: windoe"):
        entry.write("shop", made(windoe=3))
    assert not Path("data/shop").exists()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("My Orders (2024)", "my_orders_2024"),
        ("2024-orders", "data_2024_orders"),
        ("été", "t"),
        ("x" * 90, "x" * 40),
    ],
)
def test_a_name_is_made_of_that_of_the_file(words, name):
    assert entry.name_of(words) == name
    entry.require_new(name)


@pytest.mark.parametrize("name", ["Shop", "1shop", "a b", "", "publish", "a" * 70])
def test_a_name_that_can_not_be_one_is_refused(name):
    assert "--name is" in refusal(entry.require_new, name)
