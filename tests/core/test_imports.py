import gc
import sys

import pytest

from evermodel.core import imports


def test_what_is_made_meanwhile_is_never_looked_at_and_what_follows_is():
    before = gc.get_freeze_count()
    try:
        with imports.lean():
            assert not gc.isenabled()
            kept = [[] for _ in range(1000)]
        assert gc.isenabled()
        assert gc.get_freeze_count() >= before + len(kept)
    finally:
        gc.unfreeze()


def test_a_module_that_is_left_out_is_missing_meanwhile_and_there_afterwards():
    sys.modules.pop("this", None)
    with imports.lean("this", "sys"), pytest.raises(ImportError):
        import this  # noqa: F401
    assert sys.modules["sys"] is sys
    assert "this" not in sys.modules
    gc.unfreeze()


def test_the_collector_goes_on_when_an_import_fails():
    with pytest.raises(ImportError), imports.lean():
        raise ImportError
    assert gc.isenabled()
    gc.unfreeze()
