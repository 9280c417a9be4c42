import numpy as np
import pytest

from evermodel.training import checkpoints


def state(epoch):
    return {
        "weights": np.full((2, 3), epoch, dtype=np.float32),
        "history": np.array(f'[{{"epoch": {epoch}}}]'),
    }


def saved(folder, *epochs):
    for epoch in epochs:
        checkpoints.save(folder, epoch, state(epoch))
    return sorted(folder.iterdir())


def damage(file, how):
    content = bytearray(file.read_bytes())
    if how == "flipped":
        content[len(content) // 2] ^= 1
    file.write_bytes(content[:-1] if how == "cut" else b"" if how == "emptied" else content)


def test_without_a_checkpoint_there_is_no_state(tmp_path):
    assert checkpoints.newest(tmp_path / "nowhere") is None


def test_a_state_comes_back_as_it_was(tmp_path):
    saved(tmp_path, 1)
    newest = checkpoints.newest(tmp_path)
    assert newest.keys() == state(1).keys()
    for name, value in state(1).items():
        assert newest[name].dtype == value.dtype
        assert np.array_equal(newest[name], value)


def test_the_newest_state_wins_beyond_nine_epochs(tmp_path):
    saved(tmp_path, 9, 10, 100)
    assert checkpoints.newest(tmp_path)["weights"][0, 0] == 100


def test_the_newest_two_are_kept(tmp_path):
    assert [file.name[:5] for file in saved(tmp_path, 1, 2, 3, 4)] == ["00003", "00004"]


@pytest.mark.parametrize("how", ["flipped", "cut", "emptied"])
def test_a_damaged_state_is_named_and_the_one_before_taken(tmp_path, capsys, how):
    older, newer = saved(tmp_path, 1, 2)
    damage(newer, how)
    assert checkpoints.newest(tmp_path)["weights"][0, 0] == 1
    assert f"checkpoint {newer} is damaged" in capsys.readouterr().out
    assert older.exists()


def test_when_both_are_damaged_training_starts_anew(tmp_path, capsys):
    for file in saved(tmp_path, 1, 2):
        damage(file, "flipped")
    assert checkpoints.newest(tmp_path) is None
    assert capsys.readouterr().out.count("is damaged") == 2


def test_a_state_under_another_hash_is_not_believed(tmp_path):
    older, newer = saved(tmp_path, 1, 2)
    newer.rename(tmp_path / f"00002-{older.stem.split('-')[1]}.npz")
    assert checkpoints.newest(tmp_path)["weights"][0, 0] == 1


def test_what_a_killed_save_left_behind_is_passed_over(tmp_path):
    saved(tmp_path, 1)
    (tmp_path / "partial").write_bytes(b"half")
    assert checkpoints.newest(tmp_path)["weights"][0, 0] == 1
    saved(tmp_path, 2)
    assert checkpoints.newest(tmp_path)["weights"][0, 0] == 2


def test_nothing_is_ever_pickled(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle"):
        checkpoints.save(tmp_path, 1, {"weights": np.array([object()])})
    assert not list(tmp_path.iterdir())
