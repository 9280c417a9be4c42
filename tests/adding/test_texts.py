"""What is written of texts."""

import pandas as pd
import pytest

from evermodel.adding import adding
from evermodel.core import params
from evermodel.core.errors import EvermodelError
from evermodel.core.folders import dataset

WORDS = "this was a long and rather dull film that nobody should see again number {}"


def reviews(folder, splits):
    for split in splits:
        for label in ("pos", "neg"):
            (folder / split / label).mkdir(parents=True)
            for number in range(12):
                (folder / split / label / f"{number}.txt").write_text(WORDS.format(number))
    return folder


def written(name):
    return params.read(dataset(name) / params.FILE)


def test_a_long_text_beside_its_label_is_read_as_texts(lying):
    frame = pd.DataFrame({"id": range(40), "said": [WORDS.format(n) for n in range(40)]})
    frame.assign(mood=["good", "bad"] * 20).to_csv(lying / "said.csv", index=False)
    added = adding.add(str(lying / "said.csv"), "mood")
    found = written("said")
    assert (added.name, added.experiments) == ("said", ("said_linear", "said_dnn"))
    assert found["source"]["reader"] == "texts"
    assert found["source"]["editions"][0]["options"] == {"text": "said"}
    assert (found["target"], found["classes"]) == ("mood", ["bad", "good"])


def test_a_text_among_other_columns_stays_in_the_table(lying):
    frame = pd.DataFrame(
        {"said": [WORDS.format(n) for n in range(40)], "price": [n * 1.5 for n in range(40)]}
    )
    frame.assign(mood=["good", "bad"] * 20).to_csv(lying / "said.csv", index=False)
    adding.add(str(lying / "said.csv"), "mood")
    assert written("said")["source"]["reader"] == "table"


def test_files_in_class_folders_need_no_target(lying):
    added = adding.add(str(reviews(lying, [""])), name="films")
    found = written("films")
    assert found["source"]["reader"] == "texts"
    assert found["source"]["editions"][0]["options"] == {"archive": "lying.zip"}
    assert found["classes"] == ["neg", "pos"]
    assert found["split"]["stratify"] is True
    assert added.experiments == ("films_linear", "films_dnn")


def test_folders_that_are_split_already_stay_so(lying):
    adding.add(str(reviews(lying, ["train", "test"])), name="films")
    assert written("films")["split"]["method"] == "predefined"


def test_texts_in_one_folder_are_refused(lying):
    for number in range(3):
        (lying / "all").mkdir(exist_ok=True)
        (lying / "all" / f"{number}.txt").write_text("words")
    with pytest.raises(EvermodelError, match="folders of two classes"):
        adding.add(str(lying), name="films")
