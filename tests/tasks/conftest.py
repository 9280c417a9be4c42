from collections.abc import Callable

import pytest

from evermodel.core.data import Spec


@pytest.fixture
def make_spec() -> Callable[..., Spec]:
    """A spec in which only the classes matter."""

    def make(*classes: str) -> Spec:
        return Spec(
            dataset="things",
            edition="sample",
            made=True,
            kind="table",
            input_shape=(2,),
            input_dtype="float64",
            columns=("a", "b"),
            target="price",
            classes=classes,
            rows={"train": 8, "validation": 1, "test": 4},
            duplicates=0,
            test_hash="0" * 64,
        )

    return make
