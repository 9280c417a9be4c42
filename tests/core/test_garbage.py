import gc

import pytest

from evermodel.core import garbage


def test_what_is_made_meanwhile_is_never_looked_at_and_what_follows_is():
    before = gc.get_freeze_count()
    try:
        with garbage.ignored():
            assert not gc.isenabled()
            kept = [[] for _ in range(1000)]
        assert gc.isenabled()
        assert gc.get_freeze_count() >= before + len(kept)
    finally:
        gc.unfreeze()


def test_the_collector_goes_on_when_an_import_fails():
    with pytest.raises(ImportError), garbage.ignored():
        raise ImportError
    assert gc.isenabled()
    gc.unfreeze()
