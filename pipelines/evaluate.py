"""evaluate NAME: how good the model of one experiment is on the test rows, into reports/NAME."""



from evermodel import data, determinism, evaluation, journal, params, saved


def main(name: str) -> None:
    """Write reports/<name>/ with metrics.json, scores.parquet, curves.csv and figures/."""
    values = params.load()
    experiment = values.experiment(name)
    spec = data.load_spec(data.PREPARED / experiment.dataset)
    train, test = (data.load_split(data.PREPARED / experiment.dataset, split) for split in ("train", "test"))
    facts = saved.facts(saved.MODELS / name)
    check_test_rows(name, facts, spec)
    determinism.fix(values.runtime)
    with journal.keep("evaluate", name, facts.key), data.whole_folder(evaluation.REPORTS / name) as folder:
        evaluate(...)
