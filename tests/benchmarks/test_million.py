import pytest

from benchmarks import million
from evermodel.evaluation import statistics


@pytest.mark.parametrize("headline", million.HEADLINES)
@pytest.mark.parametrize("needed", [0, million.MARGIN])
def test_a_comparison_of_many_rows_is_as_sure_as_the_normal_limit(monkeypatch, headline, needed):
    """Of blocks of 15 rows, and of an area's placements."""
    monkeypatch.setattr(statistics, "MOST_NUMBERS", 2000 * 2000)
    monkeypatch.setattr(statistics, "MOST_RANKED", 0)
    told = million.compared(headline, million.made(30_000, 1), million.made(30_000, 2), needed)
    _, _, width, chance, limit = told.split()
    assert float(width) == pytest.approx(1, abs=0.07)
    assert float(chance) == pytest.approx(float(limit), abs=0.03)


def test_every_headline_is_told_without_a_margin_and_with_one(capsys):
    million.main(300)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(million.HEADLINES)
    assert all(line.count(" s ") == 2 for line in lines[1:])
