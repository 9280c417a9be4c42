import subprocess
from pathlib import Path

import pytest
import yaml

from evermodel.core import params
from evermodel.core.errors import EvermodelError
from evermodel.publishing.choice import Choice
from evermodel.searching import proposal

TEXT = """\
# what people say, twice   
name: x
options: {units: [128, 64],   dropout: 0.1}   # of two layers
train:
    optimizer: adam          # or sgd
    learning_rate: {full: 0.003, sample: 1.0e-2}  # by profile
    batch_size:
        - 32   # a list in a block
        - 64
    text: "a # b"
    epochs: 3
promotion: {metric: mae, ceiling: 4.0}
"""


def changed(found, profile="full", text=TEXT):
    return proposal.changed(text, found, profile, "params.yaml")


@pytest.mark.parametrize(
    ("found", "old", "new"),
    [
        ({"train.optimizer": "sgd"}, "optimizer: adam ", "optimizer: sgd "),
        ({"options.dropout": 0.25}, "dropout: 0.1}", "dropout: 0.25}"),
        ({"options.units": [8, 8]}, "units: [128, 64],", "units: [8, 8],"),
        ({"train.learning_rate": 0.00002}, "full: 0.003,", "full: 2.0e-05,"),
        ({"train.text": "yes"}, 'text: "a # b"', 'text: "yes"'),
        ({"train.epochs": 30}, "epochs: 3\n", "epochs: 30\n"),
        ({"train.batch_size": [16]}, "- 32   # a list in a block\n        - 64\n", "[16]\n"),
    ],
)
def test_a_value_changes_and_all_else_stays_byte_for_byte(found, old, new):
    assert TEXT.count(old) == 1
    text = changed(found)
    assert text == TEXT.replace(old, new)
    values = params.for_profile(yaml.load(text, Loader=params.Loader), "full")
    (path, value), *_ = found.items()
    for key in path.split("."):
        values = values[key]
    assert values == value


def test_several_values_change_at_once_on_one_line_or_on_others():
    text = changed({"options.units": [256, 128, 64], "options.dropout": 0.5, "train.epochs": 7})
    expected = TEXT.replace("[128, 64],   dropout: 0.1", "[256, 128, 64],   dropout: 0.5")
    assert text == expected.replace("epochs: 3\n", "epochs: 7\n")


def test_of_two_profiles_one_changes():
    assert changed({"train.learning_rate": 0.5}, "sample") == TEXT.replace("sample: 1.0e-2", "sample: 0.5")


def test_whole_sections_may_differ_by_profile():
    text = "train: {full: {epochs: 3}, sample: {epochs: {full: 1, sample: 2}}}\n"
    assert changed({"train.epochs": 9}, "sample", text) == text.replace("sample: 2", "sample: 9")


@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_marks_and_ends_of_lines_stay(mark):
    text = mark + TEXT.replace("\n", "\r\n")
    assert changed({"train.optimizer": "sgd"}, "full", text) == text.replace("adam", "sgd")


def test_what_stands_in_one_place_for_two_is_refused():
    text = "train: {epochs: &often 3, batch_size: *often}\n"
    with pytest.raises(EvermodelError, match=r"params\.yaml shares values by an anchor"):
        changed({"train.epochs": 5}, "full", text)


@pytest.mark.parametrize(
    "value", [True, None, 1, 1.0, 1e-7, 1e30, "on", "3", "a b", "a: b", "", [0.1, "x"], [[1]]]
)
def test_what_is_written_is_read_by_yaml_of_both_versions(value):
    for loader in (params.Loader, yaml.SafeLoader):
        assert yaml.load(proposal.written(value), Loader=loader) == value


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository of Git with an experiment x."""
    monkeypatch.chdir(tmp_path)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "me")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "me@localhost")
    Path("experiments/x").mkdir(parents=True)
    Path("experiments/x/params.yaml").write_text(TEXT)
    git("init", "--quiet", "-b", "main")
    git("add", ".")
    git("commit", "--quiet", "-m", "first")
    return tmp_path


def git(*arguments):
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_branch_has_the_change_and_the_work_tree_does_not_move(repository):
    Path("experiments/y").write_text("not mine")
    Path("staged").write_text("staged")
    git("add", "staged")
    before = git("status", "--porcelain")
    file = Path("experiments/x/params.yaml")
    files = {file: changed({"train.epochs": 7}).encode(), file.with_name("search.json"): b"{}\r\n"}
    made = proposal.commit("x", files, "why\n\nStudy: x@1")
    assert made == "search/x"
    assert git("status", "--porcelain") == before
    assert file.read_text() == TEXT
    assert git("diff", "--stat", "main", made).count("|") == 2
    shown = subprocess.run(
        ["git", "show", f"{made}:experiments/x/search.json"], capture_output=True, check=True
    )
    assert shown.stdout == b"{}\r\n"
    assert git("log", "-1", "--format=%(trailers:key=Study,valueonly)", made).strip() == "x@1"
    assert git("rev-parse", f"{made}^") == git("rev-parse", "main")
    git("merge", "--quiet", made)
    assert file.read_text() == changed({"train.epochs": 7})


def test_there_has_to_be_room_for_a_proposal(repository):
    proposal.require_room("x")
    git("branch", "search/x")
    with pytest.raises(EvermodelError, match="an earlier proposal; merge it"):
        proposal.require_room("x")
    git("branch", "-D", "search/x")
    Path("experiments/x/params.yaml").write_text(TEXT + "\n")
    with pytest.raises(EvermodelError, match=r"params\.yaml differs from the last commit.*--apply"):
        proposal.require_room("x")


def test_the_message_tells_what_changes_and_how_it_was_found():
    chosen = Choice(
        study="x@cafe", profile="full", metric="mae", trials=40, given_up=12, hours=1.25, folds=5,
        before={"train.epochs": 3, "options.dropout": 0.1}, found={"train.epochs": 7, "options.dropout": 0.1},
        values={"train.epochs": 7, "options.dropout": 0.1}, score_before=2.5, score=2.25, chance=0.00123,
    )  # fmt: skip
    first, _, *rest = proposal.message("x", chosen).split("\n")
    assert first == "Set train.epochs of x as a search has found"
    assert rest[0] == "train.epochs: 3 → 7"
    assert "40 trials on profile full, 12 of them given up" in rest[2]
    assert "mae 2.5 → 2.25; one-sided p = 0.0012" in rest[3]
    assert rest[-1] == "Study: x@cafe"
