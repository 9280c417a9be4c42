"""A search: trials are run, and the best one is compared with what there is, on folds of its own."""

import sys
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.trial import TrialState

from evermodel import number
from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.core.params import FILE
from evermodel.publishing import choice
from evermodel.publishing.choice import Choice
from evermodel.repository import Repository
from evermodel.runs import determinism
from evermodel.searching import cross_validation, pictures, proposal, study
from evermodel.searching.crew import Crew
from evermodel.searching.study import Plan

FOLDS = 5  # to compare by, where trials were judged by the validation rows
OTHER = 1  # added to the seed, so that what is compared by is cut and trained otherwise than trials were
NOW, FOUND = "today", "found"  # the two that are compared


def search(found: Repository, name: str, jobs: int, apply: bool) -> str:
    """Run the search of an experiment, or go on with it, and tell what came of it.

    apply: whether what was found is written into the work tree, not on a branch. Raises EvermodelError if
    nothing can be searched, and KeyboardInterrupt when told to stop; the same goes on then.
    """
    plan = study.plan(found, name)
    cross_validation.statistic(plan.chosen, plan.search.metric)  # refused now, not after all trials
    if not apply:
        proposal.require_room(name)
    called = study.create(plan)
    Crew(plan, called, jobs).work()
    return propose(plan, called, apply)


def propose(plan: Plan, called: str, apply: bool, onto: str = "HEAD") -> str:
    """Compare the best trial of a study with today's values, and write down what is better; says so.

    onto: the commit that the branch follows.
    """
    of = study.load(plan, called)
    chosen = verdict(plan, of)
    drawn = pictures.drawn(of, plan.search.metric)
    told_mlflow(plan, of, chosen, drawn)
    folder = folders.experiment(plan.name)
    files = {folder / choice.FILE: choice.text(chosen).encode()}
    if not chosen.is_better:
        (folder / choice.FILE).write_bytes(files[folder / choice.FILE])
        return f"{outcome(chosen)}; {plan.name} stays as it is, and {folder / choice.FILE} has the figures"
    params_file = folder / FILE
    if chosen.made(plan.profile, plan.chosen):
        return f"{outcome(chosen)}; {params_file} has these values"
    text = params_file.read_bytes().decode("utf-8")
    files[params_file] = proposal.changed(text, chosen.changes, plan.profile, str(params_file)).encode()
    if pictures.HISTORY in drawn:
        files[folder / choice.PICTURE] = drawn[pictures.HISTORY]
    if apply:
        for path, content in files.items():
            path.write_bytes(content)
        return f"{outcome(chosen)}; {params_file} says so now, and `evermodel run {plan.name}` trains it"
    made = proposal.commit(plan.name, files, proposal.message(plan.name, chosen), onto)
    return f"{outcome(chosen)}; see `git show {made}`, and merge it if you agree"


def verdict(plan: Plan, of: optuna.Study) -> Choice:
    """Whether the best trial is better than today's values by more than luck; asked once of a study.

    The two are trained on folds that are cut by another seed than those of the trials, which chance has
    favoured one of. Raises EvermodelError if no trial has ended.
    """
    best, trials, search = study.best(of), study.ended(of), plan.search
    if not trials:
        raise EvermodelError(f"no trial of study {of.study_name} has ended yet; search {plan.name} first")
    found = study.values(best) if best else {}
    before = {path: plan.value(path) for path in found}
    facts = {
        "study": of.study_name,
        "profile": plan.profile,
        "metric": search.metric,
        "trials": len(trials),
        "given_up": sum(trial.state == TrialState.PRUNED for trial in trials),
        "hours": round(study.spent(trials), 4),
        "folds": search.folds or FOLDS,
        "found": found,
    }
    known = of.user_attrs.get("choice", {})
    # Today's values are those that it was asked about, or what it found then, which has been merged.
    if facts.items() <= known.items() and before in (known["before"], known["values"]):
        return Choice.model_validate(known)
    facts["before"] = before
    chosen = Choice(**facts, values=before)
    if found != before:
        scores, chance = compared(plan, found)
        values = found if chance < cross_validation.LEVEL else before
        chosen = Choice(**facts, values=values, score_before=scores[NOW], score=scores[FOUND], chance=chance)
    of.set_user_attr("choice", chosen.model_dump())
    return chosen


def compared(plan: Plan, found: Mapping[str, Any]) -> tuple[dict[str, float], float]:
    """The means of today's values and of others over fresh folds, and how likely these are ahead by luck."""
    determinism.fix(plan.runtime)
    metric, count = plan.search.metric, plan.search.folds or FOLDS
    runtime = plan.runtime.model_copy(update={"seed": plan.runtime.seed + OTHER})
    recipes, judged = {NOW: plan.chosen, FOUND: plan.recipe(found)}, []
    for one in cross_validation.judge(recipes, plan.rules, runtime, count, 1, with_baseline=False):
        judged.append(one)
        value = number.text(one.evaluated.metrics[metric])
        print(
            f"comparing: {one.who}, fold {one.fold} of {count}: {metric} {value}", file=sys.stderr, flush=True
        )
    spread = cross_validation.summary(judged)[metric]
    scores = {who: spread[who]["mean"] for who in recipes}
    return scores, cross_validation.chance(plan.chosen, metric, judged, FOUND, NOW)


def told_mlflow(plan: Plan, of: optuna.Study, chosen: Choice, files: Mapping[str, bytes]) -> None:
    """Tell MLflow what it does not know yet; that it is away is a warning."""
    from evermodel.publishing import tracking
    from evermodel.searching import runs

    tried = [
        runs.Tried(
            trial.number,
            study.values(trial),
            None if trial.state == TrialState.PRUNED else trial.value,
            *(int(at.timestamp() * 1000) for at in (trial.datetime_start, trial.datetime_complete) if at),
        )
        for trial in study.ended(of)
    ]
    asked = tracking.flat(plan.search.model_dump(mode="json", exclude_none=True), "search.")
    try:
        with tracking.answering():
            client, metric = tracking.connect(), plan.search.metric
            runs.tell(client, plan.name, of.study_name, asked, metric, tried, chosen, files)
    except EvermodelError as error:
        print(f"evermodel: {error}", file=sys.stderr)


def outcome(chosen: Choice) -> str:
    """What came of a study, in a sentence."""
    tried = f"{chosen.trials} trials, {chosen.given_up} given up"
    if chosen.chance is None or chosen.score is None or chosen.score_before is None:
        return f"{tried}: nothing is better than today's values"
    was, now = number.text(chosen.score_before), number.text(chosen.score)
    how = "better" if chosen.is_better else "no more than luck may be"
    return (
        f"{tried}: the best is {how}: {chosen.metric} {was} → {now} on {chosen.folds} fresh folds, "
        f"one-sided p = {chosen.chance:.2g}"
    )
