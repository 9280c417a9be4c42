"""Who is champion, whatever happens to a promotion: races, crashes, lost packages, other test rows."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient
from typer.testing import CliRunner

from evermodel.cli import app
from evermodel.core import data
from evermodel.core.errors import EvermodelError
from evermodel.publishing import aliases, anchor, ledger, receipt, rescoring
from evermodel.publishing.ledger import Entry
from evermodel.publishing.policy import Promotion
from evermodel.publishing.promotion import Decision
from evermodel.runs import saved
from pipelines import promote
from tests.mlflow.servers import Proxy, Server, wait_for
from tests.project import Project

pytestmark = pytest.mark.timeout(1200)

NAME, DATASET = "boston_linear", "boston_housing"
# On the embedded data each penalty makes a model that is clearly better than the one before.
PENALTIES = {"weak": 1000, "fair": 500, "good": 0}
PROMOTE = ("python", "-m", "pipelines.promote", NAME)
# Two stages in one process.
MAKE = """
import sys
from pipelines import evaluate, train
train.main(sys.argv[1])
evaluate.main(sys.argv[1])
"""
ROWS, OTHER_ROWS = 113, 7  # the seeds of the split and of another one


@pytest.fixture(scope="module")
def trained(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:
    """A project for each of three models, evaluated on the same test rows, and for one on other rows.

    Nothing is registered; promoting writes nothing into a project that would hinder another promotion.
    """
    folder = tmp_path_factory.mktemp("trained")
    return {
        **{which: _train(prepared, folder / which, penalty) for which, penalty in PENALTIES.items()},
        "elsewhere": _train(prepared, folder / "elsewhere", PENALTIES["good"], OTHER_ROWS),
    }


def _train(prepared: Project, folder: Path, penalty: int, split: int = ROWS) -> Project:
    project = prepared.copied(folder)
    model = "src/evermodel/models/linear.py"
    project.edit(model, "import LinearRegression, LogisticRegression", "import LogisticRegression, Ridge")
    project.edit(model, "LinearRegression()", f"Ridge({penalty})")
    project.edit(
        f"data/{DATASET}/params.yaml", f"validation: 0.05, seed: {ROWS}", f"validation: 0.05, seed: {split}"
    )
    if split != ROWS:
        project.run("python", "-m", "pipelines.prepare", DATASET)
    project.run("python", "-c", MAKE, NAME)
    return project


class Registry:
    """A server, the ledger that goes with it, and what both hold."""

    def __init__(self, server: Server, trained: dict[str, Project]) -> None:
        self.server, self.trained = server, trained
        self.client = MlflowClient(server.uri)
        self.folder = server.folder / "ledger"
        self.kept = server.folder / "kept" / "ledger"

    def keep(self) -> None:
        """Take a copy of what server and ledger hold."""
        shutil.copytree(self.folder, self.kept)
        self.server.keep("weak")

    def restore(self) -> None:
        """Go back to the copy."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.kept, self.folder)
        self.server.restore("weak")

    def settings(self, uri: str = "") -> dict[str, str]:
        return {"MLFLOW_TRACKING_URI": uri or self.server.uri, "EVERMODEL_LEDGER": str(self.folder)}

    def promote(self, which: str, **extra: str) -> str:
        """What the promotion of a project's model tells."""
        with self.trained[which].inside(**self.settings(), **extra), redirect_stdout(StringIO()) as told:
            promote.main(NAME)
        return told.getvalue()

    def command(self, *arguments: str) -> Result:
        with self.trained["good"].inside(**self.settings()):
            return CliRunner().invoke(app, arguments)

    @property
    def lines(self) -> list[Entry]:
        """The ledger; it must be as it was written, and MLflow must stand where its last line says."""
        lines = ledger.read(self.folder / f"{NAME}.jsonl")
        aliases.require_same(self.client, NAME, lines)
        return lines

    @property
    def aliases(self) -> dict[str, int]:
        return {alias: int(v) for alias, v in self.client.get_registered_model(NAME).aliases.items()}

    @property
    def versions(self) -> list[ModelVersion]:
        found = self.client.search_model_versions(f"name = '{NAME}'")
        return sorted(found, key=lambda version: int(version.version))

    def package(self, number: int) -> Path:
        """Where the files of a version lie on the server."""
        model_id = self.versions[number - 1].source.removeprefix("models:/")
        (folder,) = (self.server.folder / "artifacts").glob(f"*/models/{model_id}")
        return folder

    def state(self) -> dict:
        """All that an undisturbed promotion leaves, without times, ids and hashes of them."""
        times = {"number", "time", "previous", "hash"}
        (experiment,) = self.client.search_experiments(filter_string=f"name = '{NAME}'")
        logged = self.client.search_logged_models([experiment.experiment_id])
        runs = self.client.search_runs([experiment.experiment_id])
        tags = ("evermodel.sha256", "evermodel.decision", "evermodel.value", "evermodel.profile")
        return {
            "lines": [line.model_dump(exclude=times) for line in self.lines],
            "aliases": self.aliases,
            "versions": [[version.tags[tag] for tag in tags] for version in self.versions],
            "cards": [version.description for version in self.versions],
            "logged": sorted((model.tags["evermodel.sha256"], str(model.status)) for model in logged),
            "runs": sorted((run.data.tags["evermodel.key"], run.info.status) for run in runs),
        }


@pytest.fixture(scope="module")
def crowned(running: Server, trained: dict[str, Project]) -> Registry:
    """A registry in which the weak model is champion."""
    running.restore("nothing")
    made = Registry(running, trained)
    made.promote("weak")
    made.keep()
    return made


@pytest.fixture
def registry(crowned: Registry) -> Registry:
    """The same, whatever was done to it."""
    crowned.restore()
    return crowned


@pytest.fixture(scope="module")
def undisturbed(crowned) -> dict:
    """What the promotion of the good model leaves when nothing happens to it, and when it is run again."""
    crowned.restore()
    crowned.promote("good")
    state = crowned.state()
    crowned.promote("good")
    assert crowned.state() == state
    return state


@pytest.mark.spine
def test_of_two_promotions_at_once_each_is_compared_with_the_true_champion(registry, trained, monkeypatch):
    monkeypatch.setenv("EVERMODEL_LEDGER", str(registry.folder))
    with ledger.held(NAME):  # until both stand before it
        both = [trained[which].start(*PROMOTE, **registry.settings()) for which in ("fair", "good")]
        (experiment,) = registry.client.search_experiments(filter_string=f"name = '{NAME}'")
        wait_for(lambda: len(_reported(registry.client, experiment.experiment_id)) == 3, "both are told")
    assert [process.wait(300) for process in both] == [0, 0]
    assert "3 decisions as they were written" in registry.command("history", NAME, "--verify").stdout
    lines = registry.lines
    assert [line.version for line in lines] == [1, 2, 3]
    assert len(registry.versions) == 3
    for before, line in pairwise(lines):
        assert line.before == before.after
        assert line.compared
        assert f"champion {line.before}" in line.reason
    good = saved.metadata(trained["good"].folder / "experiments" / NAME / "model").sha256
    (best,) = (line.version for line in lines if line.sha256 == good)
    assert registry.aliases["champion"] == lines[-1].after == best
    assert registry.aliases["previous"] == next(line.before for line in lines if line.after == best)


def _reported(client: MlflowClient, experiment_id: str) -> list[str]:
    """The runs of which all is told that promotion tells before it decides."""
    runs = client.search_runs([experiment_id])
    return [run.info.run_id for run in runs if "evermodel.outputs.evaluate" in run.data.tags]


@pytest.mark.parametrize(
    ("step", "done"),
    [
        pytest.param("/model-versions/create", True, marks=pytest.mark.all),  # registered, nothing decided
        pytest.param("/promotion/report.md", False, marks=pytest.mark.all),
        # Decided, and no alias moved.
        pytest.param("/registered-models/alias", False, marks=pytest.mark.spine),
        pytest.param("/registered-models/set-tag", False, marks=pytest.mark.all),
    ],
)
def test_a_promotion_killed_anywhere_is_completed_by_running_it_again(
    registry, trained, undisturbed, step, done
):
    proxy = Proxy(registry.server.uri)
    promotion = trained["good"].start(*PROMOTE, **registry.settings(proxy.uri))
    kill = _killer(promotion, step)
    if done:
        proxy.lose = kill
    else:
        proxy.fault = lambda path: 500 if kill(path) else None
    assert promotion.wait(300) == -9, f"it never came to {step}"
    proxy.shutdown()
    registry.promote("good")
    assert registry.state() == undisturbed


def _killer(process: subprocess.Popen[str], step: str) -> Callable[[str], bool]:
    """Kills the process at the first request for the step, and says whether it has."""

    def kill(path: str) -> bool:
        if found := path.partition("?")[0].endswith(step):
            process.kill()
        return found

    return kill


@pytest.mark.spine
def test_a_rollback_is_not_undone_by_promoting_again(registry):
    registry.promote("good")
    assert registry.aliases == {"champion": 2, "previous": 1}
    registry.command("rollback", NAME)
    assert registry.aliases == {"champion": 1, "previous": 2}
    told = registry.promote("good")
    assert "version 2 promote: " in told
    assert told.endswith("that was decided before, and champion is version 1\n")
    assert registry.aliases == {"champion": 1, "previous": 2}
    assert [(line.action, line.after) for line in registry.lines] == [
        ("promote", 1),
        ("promote", 2),
        ("rollback", 1),
    ]


@pytest.mark.spine
def test_a_champion_that_is_withdrawn_does_not_come_back_by_itself(registry):
    registry.promote("good")
    told = registry.command("withdraw", NAME, "--reason", "it insults visitors").stdout
    assert told == f"{NAME}: champion was version 2, is none (withdrawn; it insults visitors)\n"
    assert registry.aliases == {}
    assert "champion is none" in registry.command("history", NAME, "--verify").stdout
    assert registry.command("withdraw", NAME).stderr.count("no champion to withdraw") == 1
    assert registry.promote("good").endswith("and champion is nobody\n")
    assert f"{NAME} version 3 promote: " in registry.promote("fair")
    assert registry.aliases == {"champion": 3}
    assert [(line.action, line.before, line.after) for line in registry.lines[1:]] == [
        ("promote", 1, 2),
        ("withdraw", 2, None),
        ("promote", None, 3),
    ]


@pytest.mark.spine
def test_what_is_not_of_the_main_branch_is_judged_and_reported_and_promoted_when_it_is(registry):
    why = "the form sets promotion.floor"
    told = registry.promote("good", EVERMODEL_REPORT_ONLY=why)
    assert "version 2 report: mae beats champion 1's" in told
    assert told.endswith(f"nobody is promoted, because {why}\n")
    assert registry.aliases == {"champion": 1}
    assert registry.lines[-1].compared
    with registry.trained["good"].inside():
        receipt_of_branch = receipt.path(NAME).read_bytes()
    assert "version 2 promote: " in registry.promote("good")
    assert registry.aliases == {"champion": 2, "previous": 1}
    with registry.trained["good"].inside():
        assert receipt.path(NAME).read_bytes() == receipt_of_branch, "DVC's lock is of main either way"


@pytest.mark.parametrize(
    ("approval", "won", "lost", "waits"),
    [
        ("auto", "promote", "keep", "await"),
        ("manual", "await", "keep", "await"),
        ("report-only", "report", "report", "report"),
    ],
)
def test_what_becomes_of_a_model_is_up_to_the_policy_and_to_what_could_be_compared(
    approval, won, lost, waits
):
    policy = Promotion(metric="mae", ceiling=6.0, approval=approval)
    for decision, action in (
        (Decision(True, "it won"), won),
        (Decision(False, "it lost", trusted=True), lost),
        (Decision(False, "it takes other inputs", waits=True), waits),
    ):
        assert promote.act(policy, decision) == action


@pytest.mark.all
def test_a_model_that_takes_other_inputs_than_the_champion_waits_for_a_persons_word(registry, monkeypatch):
    spec = data.load_spec(registry.trained["weak"].folder / f"data/{DATASET}/prepared", "number")
    other = spec.model_copy(update={"columns": spec.columns[::-1]})
    with monkeypatch.context() as before:
        before.setattr(rescoring.registry, "spec", lambda version: other)
        assert "version 2 await: " in registry.promote("good")
    assert registry.aliases == {"champion": 1}, "it could not answer what visitors ask the champion"
    approved = registry.command("promote", NAME)
    assert approved.stdout.startswith(f"{NAME}: champion was version 1, is version 2 (approved; ")
    assert registry.lines[-1].scores == registry.lines[-2].scores != ""
    assert registry.aliases == {"champion": 2, "previous": 1}


@pytest.mark.all
def test_what_waits_is_compared_again_with_a_new_champion_by_the_command_that_is_advised(registry):
    project, file = registry.trained["fair"], f"experiments/{NAME}/params.yaml"
    project.edit(file, "ceiling: 6.0", "approval: manual, ceiling: 6.0")
    try:
        assert "version 2 await: " in registry.promote("fair")
        registry.promote("good")
        refused = registry.command("promote", NAME, "--version", "2").stderr
        assert (
            "version 2 of boston_linear was compared with version 1, and version 3 is champion now" in refused
        )
        stages = project.repro(*re.search("`dvc repro (.*?)`", refused)[1].split(), **registry.settings())
    finally:
        project.run("git", "checkout", "--quiet", file)
    assert stages == [f"experiments/{NAME}/dvc.yaml:promote"], "and nothing is trained again"
    assert [(line.version, line.action, line.after) for line in registry.lines[1:]] == [
        (2, "await", 1),
        (3, "promote", 3),
        (2, "keep", 3),
    ]
    assert "does not beat champion 3's" in registry.lines[-1].reason


def _alter(package: Path) -> None:
    file = package / "artifacts/model.skops"
    file.write_bytes(file.read_bytes()[:-1] + b"x")


@pytest.mark.all
@pytest.mark.parametrize("harm", [_alter, shutil.rmtree])
def test_a_champion_whose_package_was_harmed_can_be_beaten_and_left_but_not_returned_to(registry, harm):
    registry.promote("fair")
    harm(registry.package(2))
    registry.command("rollback", NAME)
    assert registry.aliases["champion"] == 1
    before = registry.lines
    refused = registry.command("rollback", NAME)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.count("\n") == 1
    assert f"{NAME} version 2" in refused.stderr
    assert registry.lines == before
    registry.client.set_registered_model_alias(NAME, "champion", "2")  # somebody wants it so
    told = registry.promote("good")
    assert "beats champion 2's" in told, "the scores were kept on its run"
    assert [(line.action, line.after) for line in registry.lines[-2:]] == [("found", 2), ("promote", 3)]
    assert registry.command("rollback", NAME).exit_code == 1
    registry.command("rollback", NAME, "--to", "1")
    assert registry.aliases["champion"] == 1


@pytest.mark.all
def test_a_champion_that_was_deleted_is_written_down_and_the_next_takes_its_place(registry):
    registry.client.delete_model_version(NAME, "1")
    registry.promote("good")
    assert [(line.action, line.before, line.after) for line in registry.lines] == [
        ("promote", None, 1),
        ("found", 1, None),
        ("promote", None, 2),
    ]
    assert registry.aliases["champion"] == 2


@pytest.mark.all
def test_where_all_versions_are_gone_the_same_model_is_judged_again(registry):
    registry.promote("good")
    for number in "12":
        registry.client.delete_model_version(NAME, number)
    assert f"{NAME} version 3 promote: " in registry.promote("good")
    assert [(line.action, line.before, line.after) for line in registry.lines[2:]] == [
        ("found", 2, None),
        ("promote", None, 3),
    ]


@pytest.mark.spine
def test_a_champion_judged_on_other_test_rows_is_scored_on_those_of_now(registry, trained):
    told = registry.promote("elsewhere")
    assert "scoring champion 1 on these test rows: it was never judged by them" in told
    line = registry.lines[-1]
    assert line.compared
    assert line.test_hash != registry.lines[0].test_hash
    project = trained["elsewhere"].folder
    by = float(re.search(r"by (\S+) \[", line.reason)[1])
    mine = json.loads((project / "experiments" / NAME / "metrics.json").read_text())["mae"]
    assert by == pytest.approx(_error(trained["weak"].folder, project) - mine, rel=1e-3)


def _error(model: Path, rows: Path) -> float:
    """The mean absolute error of a project's model on another project's test rows."""
    test = data.load_split(rows / "data" / DATASET / "prepared", "test", "number")
    predictions = saved.load(model / "experiments" / NAME / "model").predict(test.x)
    return float(np.abs(np.ravel(predictions) - test.y).mean())


@pytest.mark.all
def test_test_rows_that_stand_in_both_splits_are_known_to_have_been_used(registry):
    registry.promote("fair")
    registry.promote("elsewhere")
    first, second = registry.lines[-2:]
    assert first.test_hash != second.test_hash
    assert 0 < len({*first.rows} & {*second.rows}) < len(second.rows) == data.SKETCH
    book = ledger.Ledger(registry.folder / f"{NAME}.jsonl")
    assert book.test_set_uses(first.rows, first.test_hash) == 3, "the champion's before them, and both"


@pytest.mark.all
def test_scores_that_somebody_wrote_over_in_mlflow_are_not_believed(registry, trained):
    (run,) = {version.run_id for version in registry.versions}
    with registry.trained["elsewhere"].inside():
        registry.client.log_artifact(run, f"experiments/{NAME}/scores.parquet", "evaluation")
    told = registry.promote("good")
    assert "scoring champion 1 on these test rows: it has no scores that the ledger knows" in told
    by = float(re.search(r"by (\S+) \[", registry.lines[-1].reason)[1])
    project = trained["good"].folder
    mine = json.loads((project / "experiments" / NAME / "metrics.json").read_text())["mae"]
    assert by == pytest.approx(_error(trained["weak"].folder, project) - mine, rel=1e-3)


@pytest.fixture
def published(registry):
    """The commit of a run that tells the ledger's head."""
    project = registry.trained["good"]
    with project.inside(**registry.settings()):
        message = "\n".join(["Retrain it", "", *anchor.trailers([NAME])])
    who = {"GIT_AUTHOR_NAME": "Test", "GIT_AUTHOR_EMAIL": "test@example.com"}
    who |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in who.items()}
    commit = project.run("git", "commit-tree", "HEAD^{tree}", "-m", message, **who).stdout.strip()
    project.run("git", "update-ref", "refs/heads/runs/now", commit)
    yield commit
    project.run("git", "update-ref", "-d", "refs/heads/runs/now")


@pytest.mark.all
def test_a_ledger_and_a_tag_that_were_rewritten_together_are_told_by_the_commit(registry, published):
    told = registry.command("history", NAME, "--verify").stdout
    assert "1 decisions as they were written, named by a commit up to line 1" in told
    (old,) = registry.lines
    (registry.folder / f"{NAME}.jsonl").unlink()
    with registry.trained["good"].inside(**registry.settings()), ledger.held(NAME) as book:
        forged = book.append(old.model_copy(update={"reason": "it won"}))
    registry.client.set_registered_model_tag(NAME, aliases.HEAD, forged.hash)
    assert registry.lines == [forged], "one by one, file and tag are right"
    refused = registry.command("history", NAME, "--verify")
    assert refused.exit_code == 1
    assert f"commit {published[:7]}" in refused.stderr


@pytest.mark.all
def test_a_harmed_champion_that_has_to_be_scored_again_holds_promotion_up_until_a_rollback(registry):
    registry.promote("fair")
    shutil.rmtree(registry.package(2))
    before = registry.lines
    with pytest.raises(EvermodelError, match=f"{NAME} version 2.*evermodel rollback {NAME}"):
        registry.promote("elsewhere")
    assert registry.lines == before
    registry.command("rollback", NAME)
    assert "champion 1's" in registry.promote("elsewhere")


@pytest.mark.all
def test_the_limit_of_latency_is_part_of_the_policy_and_no_time_is_part_of_what_dvc_keeps(registry):
    project = registry.trained["good"]
    for limit, action in ((1e-6, "keep"), (1e6, "promote")):
        project.edit(f"experiments/{NAME}/params.yaml", "ceiling: 6.0", f"max_latency: {limit}, ceiling: 6.0")
        registry.promote("good")
        project.run("git", "checkout", "--quiet", f"experiments/{NAME}/params.yaml")
        line = registry.lines[-1]
        assert line.action == action
        assert f"times as long as the reference; {limit:g} is allowed" in registry.versions[-1].description
        assert 1e-6 < line.numbers["latency"] < 1e6
        written = json.loads((project.folder / f"experiments/{NAME}/promotion.json").read_text())
        assert written.keys() == {"model", "policy", "handed_in"}
        assert written["policy"]["max_latency"] == limit
    assert [line.before for line in registry.lines] == [None, 1, 1]


@pytest.mark.spine
def test_what_dvc_tries_out_is_told_to_mlflow_and_neither_registered_nor_decided(registry):
    before, runs = registry.state(), registry.state().pop("runs")
    told = registry.promote("good", DVC_EXP_NAME="spicy-cat")
    assert "spicy-cat" in told
    after = registry.state()
    assert len(after.pop("runs")) == len(runs) + 1
    assert after == {key: value for key, value in before.items() if key != "runs"}
    with registry.trained["good"].inside():
        assert receipt.is_pending(NAME)
    assert "version 2 promote: " in registry.promote("good"), "these test rows are as they were"
    with registry.trained["good"].inside():
        assert not receipt.is_pending(NAME)
