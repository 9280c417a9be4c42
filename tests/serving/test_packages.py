import pytest
from mlflow.entities.model_registry import ModelVersion, ModelVersionTag

from evermodel.serving.packages import CHAMPION, Packages


def version(number):
    tags = [ModelVersionTag("evermodel.sha256", str(number) * 64)]
    return ModelVersion("houses", str(number), 0, description=f"# {number}", run_id=f"run{number}", tags=tags)


def keep(packages, number):
    package = packages.place(version(number))
    (package / "model").write_text(str(number))
    packages.keep(version(number), package)
    return package


@pytest.fixture
def packages(tmp_path):
    return Packages(tmp_path)


def test_the_last_champion_is_found_with_all_that_a_server_tells_of_it(packages):
    assert packages.last("houses") is None
    package = keep(packages, 3)
    found, where = packages.last("houses")
    assert (found.name, found.version, found.run_id, found.description) == ("houses", "3", "run3", "# 3")
    assert found.tags == {"evermodel.sha256": "3" * 64}
    assert where == package


def test_of_two_servers_each_takes_away_what_it_replaces_and_nothing_that_the_other_loads(packages, tmp_path):
    first, other = keep(packages, 1), Packages(tmp_path)
    loading = other.place(version(2))
    second = keep(packages, 3)
    assert (first.exists(), loading.exists(), second.exists()) == (False, True, True)
    other.keep(version(2), loading)
    assert packages.last("houses")[1] == loading
    assert not second.exists()


def test_what_is_dropped_is_gone(packages):
    package = keep(packages, 1)
    packages.drop("houses")
    packages.drop("houses")
    packages.drop("nowhere")
    assert packages.last("houses") is None
    assert not package.exists()


def test_a_note_that_was_cut_short_is_as_good_as_none(packages, tmp_path):
    keep(packages, 1)
    note = tmp_path / "houses" / CHAMPION
    note.write_text(note.read_text()[:20])
    assert packages.last("houses") is None
    keep(packages, 2)
    assert packages.last("houses")[0].version == "2"
