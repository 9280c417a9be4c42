import pytest

from evermodel.core.errors import EvermodelError
from evermodel.publishing import choice
from evermodel.publishing.choice import Choice
from evermodel.runs.recipe import Recipe

BEFORE = {"train.learning_rate": 0.1, "options.units": [8]}


def make_choice(values=BEFORE, **of):
    facts = {
        "study": "x@cafe",
        "profile": "full",
        "metric": "mae",
        "trials": 40,
        "given_up": 12,
        "hours": 1.5,
    }
    return Choice(**facts, folds=5, before=BEFORE, found=values, values=values, **of)


def recipe(rate, units):
    train = {"optimizer": "adam", "learning_rate": rate, "batch_size": 32, "epochs": 10}
    made = {"dataset": "d", "task": "regression", "model": "mlp", "baseline": "linear", "train": train}
    return Recipe.model_validate(made | {"options": {"units": units}})


def test_a_recipe_is_of_a_study_as_long_as_it_has_the_values_that_were_chosen():
    chosen = make_choice({"train.learning_rate": 0.2, "options.units": [8, 8]})
    assert chosen.made("full", recipe(0.2, [8, 8]))
    assert not chosen.made("full", recipe(0.2, [8]))
    assert not chosen.made("sample", recipe(0.2, [8, 8]))
    assert chosen.changes == chosen.values


def test_it_tells_whether_something_better_was_found():
    assert make_choice().sentence == "study `x@cafe`, 40 trials by mae, which found nothing better"
    better = make_choice({"train.learning_rate": 0.2, "options.units": [8]})
    assert (better.sentence, better.changes) == (
        "study `x@cafe`, 40 trials by mae",
        {"train.learning_rate": 0.2},
    )


def test_what_is_written_is_read_and_what_is_broken_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert choice.read("x") is None
    file = choice.file_of("x")
    file.parent.mkdir(parents=True)
    file.write_text(choice.text(make_choice(score=1.5)))
    assert choice.read("x") == make_choice(score=1.5)
    file.write_text("{}")
    with pytest.raises(EvermodelError, match=r"experiments/x/search\.json is not as a search writes it"):
        choice.read("x")
