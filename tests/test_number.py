import numpy as np
import pytest

from evermodel import number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (470_017.0723, "470,017.07"),
        (-1_234.5, "-1,234.50"),
        (1e6, "1,000,000"),
        (1e3, "1,000"),
        (999.96, "999.96"),
        (999.4, "999.4"),
        (22.53, "22.53"),
        (0.8125, "0.8125"),
        (1.0, "1"),
        (0.0, "0"),
        (-0.0, "0"),
        (-0.123456, "-0.1235"),
        (0.0000432149, "0.00004321"),
        (4.3e-12, "4.3e-12"),
        (1.5e300, "1.5e+300"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (np.float64(1234.567), "1,234.57"),
    ],
)
def test_a_number_is_written_as_a_person_does(value, text):
    assert number.text(value) == text
