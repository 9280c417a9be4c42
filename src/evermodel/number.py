"""Numbers as a person writes them."""

from decimal import Decimal

LARGE, SMALL, LARGEST = 1e3, 1e-6, 1e15


def text(value: float) -> str:
    """A number with the digits that tell something: 470,017.07, 1,000, 0.8125, 0.00004321.

    Four of them below 1,000, and two places beyond. An exponent is left where there would be noughts alone:
    below a millionth, and beyond what a float holds to the unit.
    """
    short = f"{value + 0.0:.4g}"  # -0.0 is 0
    size = abs(float(short))
    if LARGE <= size < LARGEST:
        return f"{value:,.2f}".removesuffix(".00")
    return f"{Decimal(short):f}" if SMALL <= size < LARGE else short
