import numpy as np
import pandas as pd
import pytest

GARMENTS = {"classes": ["shirt", "shoe"], "expect": {"min_rows": 100, "shape": [28, 28]}}


@pytest.fixture
def garments() -> pd.DataFrame:
    random = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "split": ["train"] * 100 + ["test"] * 40,
            "label": [0, 1] * 70,
            "height": 28,
            "width": 28,
            "mode": "L",
            "mean": random.normal(70, 10, 140),
            "sd": random.uniform(10, 50, 140),
            "sha256": [f"{number:064x}" for number in range(140)],
        }
    )


def test_good_images_break_nothing(broken, garments):
    assert broken(GARMENTS, "images", garments) == []


def test_no_images_are_too_few(broken, garments):
    (only,) = broken(GARMENTS, "images", garments[:0])
    assert only == 'critical: "at least 100 images" does not hold (found: 0)'


def test_an_image_of_another_size_is_named(broken, garments):
    garments.loc[4, "height"] = 27
    (only,) = broken(GARMENTS, "images", garments)
    assert (
        only
        == 'critical: column height: "the height of every image is 28" does not hold in 1 row (row 5: 27)'
    )


def test_without_a_shape_all_images_are_as_most_of_them(broken, garments):
    garments.loc[4, "width"] = 30
    (only,) = broken({**GARMENTS, "expect": {"min_rows": 100}}, "images", garments)
    assert '"the width of every image is 28" does not hold in 1 row (row 5: 30)' in only


def test_an_image_of_another_mode_is_named(broken, garments):
    garments.loc[4, "mode"] = "RGB"
    (only,) = broken(GARMENTS, "images", garments)
    assert "column mode" in only
    assert "(row 5: 'RGB')" in only


def test_a_label_beyond_the_classes_is_named(broken, garments):
    garments.loc[[4, 6], "label"] = 2
    first, *rest = broken(GARMENTS, "images", garments)
    assert first.endswith(
        """"every label is one of shirt, shoe" does not hold in 2 rows (row 5: '2', row 7: '2')"""
    )
    assert all(one.startswith("warning") for one in rest)


def test_a_missing_label_is_named(broken, garments):
    garments.loc[4, "label"] = None
    (only,) = broken(GARMENTS, "images", garments)
    assert only == 'critical: column label: "no value is missing" does not hold in 1 row (row 5)'


def test_a_missing_fact_is_named(broken, garments):
    garments.loc[4, "mean"] = np.nan
    (only,) = broken(GARMENTS, "images", garments)
    assert only == 'critical: column mean: "no value is missing" does not hold in 1 row (row 5)'


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("classes", [["shirt", "shoe"], []])
def test_a_class_that_is_missing_in_a_split_is_named(broken, garments, split, classes):
    garments["label"] = garments["label"].map({0: "shirt", 1: "shoe"})
    kept = garments[(garments["split"] != split) | (garments["label"] != "shoe")]
    settings = {"classes": classes, "expect": {"min_rows": 50, "shape": [28, 28]}}
    (only,) = broken(settings, "images", kept)
    assert only == (
        f'critical: column label: "every class occurs in {split}" does not hold (found: missing shoe)'
    )


def test_numbers_without_classes_may_be_either_and_hinder_no_task(broken, garments):
    garments["label"] = np.arange(len(garments))
    assert broken({"expect": {"min_rows": 50, "shape": [28, 28]}}, "images", garments) == []


def test_a_target_that_the_manifest_lacks_is_named(broken, garments):
    (only,) = broken({**GARMENTS, "target": "price"}, "images", garments)
    assert only.startswith('critical: column price: "the target is one of the columns ')


def test_a_blank_image_is_a_warning(broken, garments):
    garments.loc[4, "sd"] = 0
    (only,) = broken(GARMENTS, "images", garments)
    assert only == 'warning: column sd: "no image is blank" does not hold in 1 row (row 5: 0.0)'


def test_repeated_images_are_a_warning(broken, garments):
    garments.loc[:4, "sha256"] = "0"
    (only,) = broken(GARMENTS, "images", garments)
    assert only.startswith("warning: column sha256")
    assert "in 5 rows" in only


def test_darker_test_images_are_a_warning(broken, garments):
    garments.loc[100:, "mean"] -= 30
    (only,) = broken(GARMENTS, "images", garments)
    assert only.startswith('warning: column mean: "test images are about as bright as training images')


def test_a_rare_class_is_a_warning(broken, garments):
    garments["label"] = 0
    garments.loc[[7, 90, 120], "label"] = 1
    (only,) = broken(GARMENTS, "images", garments)
    assert only.startswith('warning: column label: "every class has at least 5%')
    assert "in 3 rows (row 8: 'shoe', row 91: 'shoe', row 121: 'shoe')" in only


def test_images_of_a_source_without_split_are_examined_all_the_same(broken, garments):
    garments = garments.drop(columns="split")
    assert broken(GARMENTS, "images", garments) == []
    garments.loc[4, "sd"] = 0
    assert len(broken(GARMENTS, "images", garments)) == 1


def test_a_split_that_is_neither_training_nor_test_is_named(broken, garments):
    garments.loc[4, "split"] = "valid"
    (only,) = broken(GARMENTS, "images", garments)
    assert only == (
        'critical: column split: "every image is for train, validation, test" does not hold in 1 row '
        "(row 5: 'valid')"
    )


BY_GROUP = {
    "expect": {"min_rows": 5},
    "split": {"method": "shuffle", "groups": ["label"], "test": 0.2, "validation": 0.1},
}


@pytest.fixture
def people(garments) -> pd.DataFrame:
    """Many of one person, few of the others, and some who are in one split only."""
    return garments.assign(label=["s0"] * 100 + [f"s{number}" for number in range(1, 41)])


def test_people_may_be_rare_and_new_where_the_split_is_by_group(broken, people):
    assert broken(BY_GROUP, "images", people) == []
    ungrouped = {"expect": {"min_rows": 5}}
    assert len(broken(ungrouped, "images", people)) == 4


def test_one_person_or_a_nameless_one_is_named_also_by_group(broken, people):
    assert "two classes or more" in broken(BY_GROUP, "images", people.assign(label="s1"))[0]
    people.loc[4, "label"] = ""
    (only,) = broken(BY_GROUP, "images", people)
    assert """"no label is empty" does not hold in 1 row (row 5: '')""" in only


MASKS = {
    "expect": {"min_rows": 5},
    "split": {"method": "shuffle", "groups": ["slice"], "test": 0.2, "validation": 0.1},
}


@pytest.fixture
def tiles(garments) -> pd.DataFrame:
    shares = np.random.default_rng(7).uniform(0.2, 0.9, 140)
    return garments.drop(columns="split").assign(slice=np.arange(140) // 7, label=shares)


def test_good_masks_break_nothing(broken, tiles):
    assert broken(MASKS, "images", tiles) == []


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_an_empty_or_full_mask_is_a_warning(broken, tiles, share):
    tiles.loc[4, "label"] = share
    (only,) = broken(MASKS, "images", tiles)
    assert only == (
        f'warning: column label: "no mask is empty or full" does not hold in 1 row (row 5: {share})'
    )


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_that_is_none_is_named(broken, tiles, share):
    tiles.loc[4, "label"] = share
    critical, warning = broken(MASKS, "images", tiles)
    assert critical.startswith('critical: column label: "the share of foreground lies in 0 to 1"')
    assert warning.startswith("warning")


@pytest.fixture
def streets(tiles) -> pd.DataFrame:
    shares = np.random.default_rng(7).dirichlet([5, 3, 1], 140)
    return tiles.drop(columns="label").assign(**{f"class_{n}": share for n, share in enumerate(shares.T)})


STREETS = MASKS | {"classes": ["rest", "road", "car"]}


def test_good_masks_of_several_classes_break_nothing(broken, streets):
    assert broken(STREETS, "images", streets) == []


def test_a_class_that_no_mask_has_is_named(broken, streets):
    (only,) = broken(STREETS, "images", streets.assign(class_2=0.0))
    assert only == 'critical: column class_2: "class car occurs in a mask" does not hold (found: 0.0)'


def test_a_column_that_nobody_uses_may_have_gaps(broken, garments):
    assert broken(GARMENTS, "images", garments.assign(camera=None)) == []
    grouped = {**GARMENTS, "split": {**MASKS["split"], "groups": ["camera"]}}
    (only,) = broken(grouped, "images", garments.assign(camera=["a", None] * 70))
    assert only.startswith('critical: column camera: "no value is missing" does not hold in 70 rows')


FACES = {
    "expect": {"min_rows": 5, "ranges": {"age": [0, 120]}},
    "targets": {"age": [0, 100], "gender": [0, 1]},
}


@pytest.fixture
def faces(garments) -> pd.DataFrame:
    return garments.drop(columns=["split", "label"]).assign(age=np.arange(140) % 90, gender=[0, 1] * 70)


def test_several_numbers_can_be_the_target(broken, faces):
    assert broken(FACES, "images", faces) == []


def test_each_target_must_be_there(broken, faces):
    (only,) = broken(FACES, "images", faces.drop(columns="gender"))
    assert only.startswith('critical: column gender: "the target is one of the columns ')


def test_a_target_out_of_its_range_is_named(broken, faces):
    faces.loc[4, "age"] = 130
    (only,) = broken(FACES, "images", faces)
    assert only == (
        'critical: column age: "every value lies in 0 to 120" does not hold in 1 row (row 5: 130)'
    )


def test_a_target_that_is_text_is_named(broken, faces):
    (only,) = broken(FACES, "images", faces.assign(gender=["man", *["1"] * 139]))
    assert """column gender: "every value is a number" does not hold in 1 row (row 1: 'man')""" in only


def test_a_missing_number_is_named(broken, faces):
    faces.loc[4, "age"] = np.nan
    (only,) = broken(FACES, "images", faces)
    assert only == 'critical: column age: "no value is missing" does not hold in 1 row (row 5)'


def test_one_whole_number_with_a_range_is_no_class(broken, faces):
    settings = {"target": "age", "expect": FACES["expect"]}
    assert broken(settings, "images", faces) == []
