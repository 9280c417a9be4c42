import pytest

from benchmarks import blocks, size
from evermodel.core import data


@pytest.mark.parametrize("pieces", [blocks.numbers, size.pieces])
def test_both_ways_hold_the_same_rows(tmp_path, pieces):
    splits = []
    for way in blocks.WAYS:
        blocks.write(tmp_path / way, way, 500, pieces)
        splits.append(data.load_split(tmp_path / way, "train", "number"))
    held, stored = splits
    assert len(stored) == 500
    assert stored.x.frame().equals(held.x.frame())
    assert stored.y.tolist() == held.y.tolist()


@pytest.mark.all
def test_both_ways_are_measured(capsys):
    blocks.main(2000, 0)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines[1:] if "ratio" not in line] == ["arrays", "parquet"] * 2
    assert all(float(one.replace(",", "")) > 0 for line in lines[1:] for one in line.split()[-6:])
