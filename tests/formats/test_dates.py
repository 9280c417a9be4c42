import numpy as np
import pandas as pd
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.formats import dates

DAY = pd.Timestamp(2024, 3, 31)


@pytest.mark.parametrize(
    ("fields", "form"),
    [
        (["2024-03-31", "2024-04-01"], ""),
        (["2024-03-31 00:00:00", "2024-04-01 12:30:00"], ""),
        (["2024-03-31T02:00:00+02:00", "2024-04-01T00:00:00Z"], ""),
        (["3/31/2024", "4/1/2024"], "%m/%d/%Y"),
        (["31/3/2024", "1/4/2024"], "%d/%m/%Y"),
        (["31.03.2024 00:00", "01.04.2024 13:45"], "%d.%m.%Y %H:%M"),
        (["Mar 31, 2024", "Apr 1, 2024"], "%b %d, %Y"),
    ],
)
def test_one_form_is_found_for_all_dates(fields, form):
    column = pd.Series(fields, dtype="str")
    assert dates.form_of(column) == form
    assert dates.read("t.csv", column, form).iloc[0] == DAY


def test_of_a_day_and_a_month_that_could_be_either_the_month_comes_first():
    assert dates.form_of(pd.Series(["1/2/2024", "3/4/2024"])) == "%m/%d/%Y"


@pytest.mark.parametrize("values", [[2023, 2024], np.array([20230101, 20240101]), ["2023", "2024"]])
def test_years_and_days_without_a_mark_are_dates_though_they_are_numbers(values):
    column = pd.Series(values)
    found = dates.read("t.csv", column, dates.form_of(column))
    assert found.tolist() == [pd.Timestamp(2023, 1, 1), pd.Timestamp(2024, 1, 1)]


def test_a_date_in_another_form_than_the_first_is_told_by_its_row():
    column = pd.Series(["3/31/2024", "2024-04-01"], index=[7, 8], name="Day")
    with pytest.raises(
        EvermodelError, match=r"t\.csv: row 9, column Day is '2024-04-01', not a date like %m"
    ):
        dates.read("t.csv", column, dates.form_of(column))


def test_a_date_is_told_with_its_time_unless_it_is_midnight():
    assert dates.told(DAY) == "2024-03-31"
    assert dates.told(DAY + pd.Timedelta(minutes=90)) == "2024-03-31 01:30:00"
