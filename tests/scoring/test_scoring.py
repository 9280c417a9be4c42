import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from evermodel.core.errors import EvermodelError
from evermodel.scoring import parts
from evermodel.scoring.scoring import score

ROOT = Path(__file__).parents[2]


def refusal(*arguments):
    with pytest.raises(EvermodelError) as error:
        score(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def listing(folder):
    """Everything below a folder, with its content."""
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_every_row_of_a_table_is_answered_and_says_where_it_comes_from_and_who_answered(
    champion, table, tmp_path
):
    out = tmp_path / "scores.parquet"
    done = score(champion(), [table], out, 0.0)
    answers = pd.read_parquet(out)
    assert list(answers.columns) == ["model", "version", "run", "file", "row", "price"]
    assert answers["row"].tolist() == list(range(1, 11))
    assert answers["price"].tolist() == [row + 0.25 for row in range(10)]
    assert set(answers.iloc[:, :4].itertuples(index=False, name=None)) == {("houses", 7, "cafe", str(table))}
    assert (done.examples, done.rejected, done.version) == (10, 0, 7)
    assert sorted(tmp_path.iterdir()) == [table.parent, out], "what was in between is gone"


def test_a_parquet_table_gives_the_answers_of_the_same_table_in_csv(champion, table, tmp_path):
    pd.read_csv(table).assign(other="x").to_parquet(table.with_suffix(".parquet"), row_group_size=4)
    made = [tmp_path / name for name in ("csv.parquet", "parquet.parquet")]
    score(champion(), [table], made[0], 0.0)
    score(champion(), [table.with_suffix(".parquet")], made[1], 0.0)
    one, other = (pd.read_parquet(out).drop(columns="file") for out in made)
    pd.testing.assert_frame_equal(one, other)


def test_no_more_than_a_piece_is_asked_at_a_time(champion, table, album, tmp_path):
    scorer = champion()
    score(scorer, [table], tmp_path / "t.parquet", 0.0)
    assert scorer.predict.asked == [3, 3, 3, 1]
    scorer = champion("images")
    score(scorer, [album], tmp_path / "p.parquet", 0.0)
    assert scorer.predict.asked == [2, 2, 1]


def test_what_is_written_is_not_kept_in_memory(champion, table, album, tmp_path):
    for kind, path in (("table", table), ("images", album)):
        scorer = champion(kind)
        score(scorer, [path], tmp_path / f"{kind}.parquet", 0.0)
        assert len(scorer.predict.alive) > 2
        assert max(scorer.predict.alive) <= 2, "the one before may be there until the next one is read"


def test_examples_that_are_large_go_in_smaller_pieces(champion, album, tmp_path, monkeypatch):
    monkeypatch.setattr("evermodel.scoring.pieces.NUMBERS", 16)
    scorer = champion("images")
    score(scorer, [album], tmp_path / "p.parquet", 0.0)
    assert scorer.predict.asked == [1] * 5


def test_a_folder_is_scored_by_name_with_its_folders_and_without_what_is_no_image(champion, album, tmp_path):
    score(champion("images"), [album], out := tmp_path / "p.parquet", 0.0)
    answers = pd.read_parquet(out)
    names = ["a.png", "b.PNG", "c.jpg", "more/d.png", "more/e.bmp"]
    assert answers["file"].tolist() == [str(album / name) for name in names]
    assert answers["label"].tolist() == [0, 10, 20, 30, 40]


def test_texts_are_scored_by_class_and_probability(champion, album, tmp_path):
    scorer = champion("text", classes=("bad", "good"))
    score(scorer, [album / "notes.txt", album], out := tmp_path / "t.parquet", 0.0)
    answers = pd.read_parquet(out)
    assert answers["label"].tolist() == ["bad", "bad"]
    assert answers["probability"].tolist() == [0.92, 0.92]


def test_an_answer_that_is_an_image_is_a_file_in_the_result(champion, album, tmp_path):
    painter = replace(champion("images"), task="segmentation", predict=lambda x: np.ones((len(x), 2, 3, 1)))
    score(painter, [album], out := tmp_path / "p.parquet", 0.0)
    (first, *rest) = pd.read_parquet(out)["image"]
    assert len(rest) == 4
    assert np.array_equal(np.asarray(Image.open(pa.BufferReader(first))), np.full((2, 3), 255))


def test_an_image_that_is_made_of_each_seed_stands_beside_its_row(champion, tmp_path):
    (seeds := tmp_path / "seeds.csv").write_text("seed\n5\n0\n10\n")
    asked = champion(columns=[{"name": "seed", "kind": "whole"}], input_shape=(1,))
    bright = lambda x: np.ones((len(x), 2, 3, 1)) * x["seed"].to_numpy()[:, None, None, None] / 10  # noqa: E731
    maker = replace(asked, task="generation", predict=bright)
    score(maker, [seeds], out := tmp_path / "made.parquet", 0.0)
    rows = pq.read_table(out).to_pylist()
    images = [np.asarray(Image.open(pa.BufferReader(row["image"]))) for row in rows]
    assert [row["row"] for row in rows] == [1, 2, 3]
    assert [image[0, 0] for image in images] == [128, 0, 255]


def test_answers_of_several_numbers_are_lists_in_the_result(champion, album, tmp_path):
    seer = replace(
        champion("images"), task="embedding", predict=lambda x: np.arange(3.0 * len(x)).reshape(len(x), 3)
    )
    score(seer, [album], out := tmp_path / "p.parquet", 0.0)
    answers = pq.read_table(out).column("embedding")
    assert answers.type == pa.list_(pa.float64())
    assert answers.to_pylist() == [[0, 1, 2], [3, 4, 5], [0, 1, 2], [3, 4, 5], [0, 1, 2]]


def test_each_series_of_a_table_is_answered_under_its_key(champion, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/t.csv").write_text("step,shop\n1,a\n2,b\n3,a\n4,b\n5,b\n")
    series = {"columns": [{"name": "step"}], "input_shape": (2, 1), "layout": {"key": "shop"}}
    score(champion("series", **series), [tmp_path / "in"], out := tmp_path / "s.parquet", 0.0)
    answers = pd.read_parquet(out)
    assert answers[["series", "price"]].values.tolist() == [["a", 2.0], ["b", 4.5]]


@pytest.mark.parametrize(("name", "after"), [("scores.parquet", 1), ("scores", 3)])
def test_a_scoring_that_is_killed_goes_on_where_it_stopped_and_ends_with_the_same_bytes(
    champion, table, tmp_path, name, after
):
    undisturbed, out = tmp_path / "undisturbed" / name, tmp_path / "killed" / name
    score(champion(), [table], undisturbed, 0.0)
    killed = f"""
import os, signal
from pathlib import Path
from evermodel.formats import table_file
from evermodel.scoring.scoring import score
from evermodel.serving.champion import Champion
from tests.specs import make_spec
table_file.ROWS = 3
asked = []
def predict(x):
    asked.append(len(x))
    if len(asked) > {after}:
        os.kill(os.getpid(), signal.SIGKILL)
    return x.to_numpy().mean(axis=1)
scorer = Champion("houses", 7, "cafe", "regression", make_spec("table"), predict, None, "")
score(scorer, [Path({str(table)!r})], Path({str(out)!r}), 0.0)
"""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}/src:{ROOT}"}
    done = subprocess.run([sys.executable, "-c", killed], env=environment, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not out.exists()
    scorer = champion()
    score(scorer, [table], out, 0.0)
    assert scorer.predict.asked == [3, 3, 3, 1][after:]
    assert listing(out.parent) == listing(undisturbed.parent)


@pytest.fixture
def begun(champion, table, tmp_path):
    """A scoring that was interrupted after three of four pieces, and where it goes."""
    scorer = champion()
    scorer.predict.patience = 3
    with pytest.raises(KeyboardInterrupt):
        score(scorer, [table], tmp_path / "scores.parquet", 0.0)
    return tmp_path / "scores.parquet"


def test_what_another_champion_has_begun_is_scored_again(champion, table, begun):
    for version, run in ((8, "cafe"), (7, "beef")):
        begun.unlink(missing_ok=True)
        other = champion(version=version, run=run)
        score(other, [table], begun, 0.0)
        assert other.predict.asked == [3, 3, 3, 1]
        assert set(pd.read_parquet(begun)[["version", "run"]].itertuples(index=False)) == {(version, run)}


def test_what_was_begun_with_another_table_is_scored_again(champion, table, begun):
    table.write_text(table.read_text().replace("3.5", "7.5"))
    os.utime(table, ns=(1, 1))  # a file system's clock may be slower than this test
    scorer = champion()
    score(scorer, [table], begun, 0.0)
    assert scorer.predict.asked == [3, 3, 3, 1]
    assert pd.read_parquet(begun)["price"].tolist()[3] == 5.25


def test_what_stands_at_the_place_stays_until_the_whole_is_there(champion, table, begun):
    score(champion(), [table], begun, 0.0)
    before = begun.read_bytes()
    scorer = champion(version=8)
    scorer.predict.patience = 2
    with pytest.raises(KeyboardInterrupt):
        score(scorer, [table], begun, 0.0)
    assert begun.read_bytes() == before


def test_a_folder_gets_a_part_per_piece_and_the_next_scoring_takes_its_place(champion, table, tmp_path):
    out = tmp_path / "scores"
    for version in (7, 8):
        score(champion(version=version), [table], out, 0.0)
        assert len(list(out.iterdir())) == 4
        answers = pd.read_parquet(out)
        assert answers["row"].tolist() == list(range(1, 11))
        assert set(answers["version"]) == {version}


def test_a_row_that_is_no_number_is_named_and_nothing_is_written(champion, table, tmp_path):
    table.write_text(table.read_text().replace("7.5", "many"))
    sentence = refusal(champion(), [table], tmp_path / "scores.parquet", 0.5)
    assert f"{table}: row 8, column b is 'many'" in sentence
    assert not (tmp_path / "scores.parquet").exists()


def test_a_file_that_can_not_be_used_is_an_error_where_the_data_set_allows_none(champion, album, tmp_path):
    (album / "c.jpg").write_text("no image")
    out = tmp_path / "p.parquet"
    sentence = refusal(champion("images"), [album], out, 0.0)
    assert f"{album / 'c.jpg'} is not an image" in sentence
    assert "data/made/params.yaml: expect.rejected allows 0" in sentence
    assert not out.exists()
    Image.new("L", (4, 4)).save(album / "c.jpg")
    scorer = champion("images")
    score(scorer, [album], out, 0.0)
    assert scorer.predict.asked == [2, 1], "the piece that was good is kept"


@pytest.mark.parametrize("name", ["p.parquet", "p"])
def test_a_file_that_can_not_be_used_is_listed_where_the_data_set_allows_it(champion, album, tmp_path, name):
    for broken in ("a.png", "more/e.bmp"):
        (album / broken).write_text("no image")
    out = tmp_path / name
    done = score(champion("images"), [album], out, 0.4)
    assert (done.examples, done.rejected) == (3, 2)
    listed = pd.read_csv(out / "rejected.csv" if name == "p" else tmp_path / "p.rejected.csv")
    assert listed["file"].tolist() == [str(album / "a.png"), str(album / "more/e.bmp")]
    assert listed["reason"].str.contains("is not an image").all()
    files = sorted(out.glob("part-*")) if name == "p" else out
    assert pq.read_table(files).column("label").to_pylist() == [10, 20, 30]
    for mended in ("a.png", "more/e.bmp"):
        Image.new("L", (4, 4)).save(album / mended)
    assert score(champion("images"), [album], out, 0.4).rejected == 0
    assert not list(tmp_path.rglob("*rejected.csv")), "nothing is left to list"


def test_where_no_file_can_be_used_there_is_no_result(champion, tmp_path):
    (tmp_path / "p.png").write_text("no image")
    assert "no file can be used" in refusal(champion("images"), [tmp_path / "p.png"], tmp_path / "o", 1.0)
    assert not (tmp_path / "o").exists()


def test_what_is_not_there_or_holds_nothing_is_named(champion, tmp_path):
    (tmp_path / "in").mkdir()
    out = tmp_path / "out.parquet"
    assert f"{tmp_path / 'gone'} does not exist" in refusal(champion(), [tmp_path / "gone"], out, 0.0)
    sentence = refusal(champion(), [tmp_path / "in"], out, 0.0)
    assert f"{tmp_path / 'in'} holds no file to predict; their names have to end in .csv, .tsv" in sentence
    assert list(tmp_path.iterdir()) == [tmp_path / "in"]


@pytest.mark.parametrize("name", ["in/scores.parquet", "in/scores", "in", "in/t.csv"])
def test_a_result_among_what_is_scored_is_refused(champion, table, tmp_path, name):
    before = listing(tmp_path)
    assert "name another place" in refusal(champion(), [table.parent], tmp_path / name, 0.0)
    assert listing(tmp_path) == before


def test_nothing_but_an_older_result_is_replaced(champion, table, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work")
    (tmp_path / "f.parquet").mkdir()
    (tmp_path / "plain").write_text("mine")
    before = listing(tmp_path)
    assert "holds thesis.txt" in refusal(champion(), [table], tmp_path / "mine", 0.0)
    assert "is a folder" in refusal(champion(), [table], tmp_path / "f.parquet", 0.0)
    assert "is a file" in refusal(champion(), [table], tmp_path / "plain", 0.0)
    assert listing(tmp_path) == before


def test_a_place_where_nothing_can_be_written_is_named(champion, table, tmp_path):
    (tmp_path / "plain").write_text("a file")
    out = tmp_path / "plain" / "scores.parquet"
    assert f"{out} was not written: " in refusal(champion(), [table], out, 0.0)


def test_two_that_write_to_one_place_do_not_meet(champion, table, tmp_path):
    out = tmp_path / "scores.parquet"
    with parts.opened(out):
        sentence = refusal(champion(), [table], out, 0.0)
    assert f"{out} is being written by another process" in sentence
    score(champion(), [table], out, 0.0)


def test_a_text_that_is_written_of_each_row_stands_beside_it(champion, tmp_path):
    (asked := tmp_path / "asked.csv").write_text("seed,prompt\n5,ab\n0,\n")
    columns = [{"name": "seed", "kind": "whole"}, {"name": "prompt", "kind": "text", "gaps": "fill"}]
    written = lambda x: np.array([f"{row.prompt} {row.seed:g}" for row in x.itertuples()], object)  # noqa: E731
    writer = replace(champion(columns=columns, input_shape=(2,)), task="language_modelling", predict=written)
    score(writer, [asked], out := tmp_path / "made.parquet", 0.0)
    rows = pq.read_table(out).to_pylist()
    assert [(row["row"], row["text"]) for row in rows] == [(1, "ab 5"), (2, "None 0")]
