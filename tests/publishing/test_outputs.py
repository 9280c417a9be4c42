import hashlib
from pathlib import Path

import pytest

from evermodel.publishing import outputs

FILES = {
    "fetch": "data/houses/raw/housing.data",
    "validate": "data/houses/validation/data_docs/index.html",
    "prepare": "data/houses/prepared/spec.json",
    "train": "experiments/it/model/model.skops",
    "evaluate": "experiments/it/figures/errors.png",
}


@pytest.fixture
def root(tmp_path):
    """A folder in which each stage has written one file."""
    for file in FILES.values():
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text(file)
    return tmp_path


def test_each_stage_has_the_hash_of_its_files_by_their_paths(root):
    hashes = outputs.hashes("it", "houses", root)
    assert list(hashes) == list(FILES)
    content = hashlib.sha256(FILES["train"].encode()).hexdigest()
    assert hashes["train"] == hashlib.sha256(f"{content}  {FILES['train']}\n".encode()).hexdigest()


@pytest.mark.parametrize("stage", FILES)
def test_another_byte_another_name_or_another_file_changes_the_hash_of_that_stage_alone(root, stage):
    before, file = outputs.hashes("it", "houses", root), root / FILES[stage]

    def changed() -> set[str]:
        after = outputs.hashes("it", "houses", root)
        return {name for name in before if after.get(name) != before[name]}

    (more := file.with_name("more")).write_text("")
    assert changed() == {stage}
    more.unlink()
    assert changed() == set()
    file.rename(more)
    assert changed() == {stage}
    more.rename(file).write_text("another")
    assert changed() == {stage}
    file.unlink()
    assert changed() == {stage}


def test_what_others_write_into_the_folder_of_an_experiment_does_not_count(root):
    before = outputs.hashes("it", "houses", root)
    for other in ("params.yaml", "dvc.yaml", "dvc.lock", "promotion.json"):
        Path(root, "experiments/it", other).write_text("x")
    assert outputs.hashes("it", "houses", root) == before
