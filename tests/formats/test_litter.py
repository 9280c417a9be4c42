import pytest

from evermodel.formats.litter import is_litter

HIDDEN = [".DS_Store", "pets/.DS_Store", "a/.git/config", "..a/1.jpg", ".../1.jpg", "a/.\n"]
LEFT = ["__MACOSX/._1.jpg", "a/__MACOSX/1.jpg", "Thumbs.db", "a/THUMBS.DB", "a/Desktop.ini", "./a/._1.txt"]
MEANT = ["1.jpg", "a/1.jpg", "./1.jpg", "../a/1.jpg", "a/./1.jpg", "a./1.jpg", "__MACOSX", "Thumbs.db.txt"]


@pytest.mark.parametrize("name", HIDDEN + LEFT)
def test_what_is_hidden_or_left_by_a_system_is_litter(name):
    assert is_litter(name)


@pytest.mark.parametrize("name", [*MEANT, "my Thumbs.db", "a/b.desktop.ini", "thumbs.db/1.jpg"])
def test_what_somebody_may_mean_is_none(name):
    assert not is_litter(name)
