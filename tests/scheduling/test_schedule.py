import pytest

from evermodel.core import section
from evermodel.scheduling.schedule import Schedule
from tests.settings import refusal


@pytest.mark.parametrize("cron", ["30 4 * * 1", "*/15 * * * *", "0 6-18/2 1,15 * 1-5", "0 0 31 12 7"])
def test_a_cron_of_five_fields_is_a_schedule(cron):
    assert section.checked(Schedule, {"cron": cron}, "f.yaml").cron == cron


def test_without_a_cron_it_waits_to_be_asked():
    assert section.checked(Schedule, {}, "f.yaml").cron is None


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("cron", "daily", "'30 4 * * 1'"),
        ("cron", "0 24 * * *", "'30 4 * * 1'"),
        ("cron", "*/0 * * * *", "'30 4 * * 1'"),
        ("retries", -1, "greater than or equal to 0"),
        ("timeout", 0, "greater than 0"),
        ("owner", "", "at least 1"),
        ("crom", "* * * * *", "cron, description, owner, retries"),
    ],
)
def test_a_wrong_key_is_named(key, value, expected):
    sentence = refusal(section.checked, Schedule, {key: value}, "f.yaml")
    assert sentence.startswith(f"f.yaml: {key} is ")
    assert expected in sentence
