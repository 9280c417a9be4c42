import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import paired
from evermodel.core.errors import EvermodelError

RIGHT, WRONG = 1, 0


@pytest.fixture
def report(tmp_path, monkeypatch):
    """A function that writes the scores of an experiment, called "mine" unless told."""
    monkeypatch.chdir(tmp_path)

    def write(name="mine", rows="some", **columns):
        folder = tmp_path / "experiments" / name
        folder.mkdir(parents=True)
        table = pa.Table.from_pydict(columns).replace_schema_metadata({"test_hash": rows})
        pq.write_table(table, folder / "scores.parquet")

    return write


def test_p_is_the_share_of_tosses_of_a_coin_that_are_as_uneven():
    assert paired.mcnemar(8, 2) == pytest.approx(2 * (1 + 10 + 45) / 2**10)
    assert paired.mcnemar(2, 8) == paired.mcnemar(8, 2)


def test_only_the_rows_that_one_alone_gets_right_count(report, capsys):
    model = [RIGHT] * 6 + [WRONG] * 1 + [RIGHT] * 2 + [WRONG] * 1
    baseline = [WRONG] * 6 + [RIGHT] * 1 + [RIGHT] * 2 + [WRONG] * 1
    report(correct=model, baseline_correct=baseline)
    paired.main("mine")
    assert capsys.readouterr().out == (
        "mine: accuracy 0.8000, baseline 0.3000, of 10 test rows\n"
        "only the model is right: 6, only the baseline: 1, p = 0.12\n"
    )


def test_two_that_agree_in_every_row_are_no_evidence(report, capsys):
    report(correct=[RIGHT, WRONG], baseline_correct=[RIGHT, WRONG])
    paired.main("mine")
    assert "only the model is right: 0, only the baseline: 0, p = 1\n" in capsys.readouterr().out


def test_two_experiments_are_compared_on_the_rows_that_both_were_asked(report, capsys):
    report(correct=[RIGHT, RIGHT, RIGHT, WRONG], baseline_correct=[WRONG] * 4)
    report("other", correct=[WRONG, WRONG, RIGHT, RIGHT], baseline_correct=[RIGHT] * 4)
    paired.main("mine", "other")
    assert capsys.readouterr().out == (
        "mine: accuracy 0.7500, other 0.5000, of 4 test rows\nonly mine is right: 2, only other: 1, p = 1\n"
    )


def test_two_experiments_with_other_test_rows_are_refused(report):
    report(correct=[RIGHT, WRONG], baseline_correct=[RIGHT, WRONG])
    report("other", rows="others", correct=[RIGHT, WRONG], baseline_correct=[RIGHT, WRONG])
    with pytest.raises(EvermodelError, match="mine and other were scored on different test rows"):
        paired.main("mine", "other")


def test_a_missing_report_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EvermodelError, match=r"mine/dvc\.yaml:evaluate"):
        paired.main("mine")


def test_rows_that_are_neither_right_nor_wrong_are_told(report):
    report(absolute_error=[0.1, 0.2], baseline_absolute_error=[0.3, 0.4])
    with pytest.raises(EvermodelError, match="no column 'correct'"):
        paired.main("mine")


def test_rows_that_belong_together_are_refused(report):
    report(correct=[RIGHT, WRONG], baseline_correct=[RIGHT, WRONG], group=[4, 4])
    with pytest.raises(EvermodelError, match=r"split\.groups"):
        paired.main("mine")
