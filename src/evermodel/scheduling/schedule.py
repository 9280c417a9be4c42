"""When an experiment is trained: read by Airflow's DAGs alone, and checked here."""

import re
from typing import Annotated

from pydantic import Field, FiniteFloat, field_validator

from evermodel.core.section import Section

CRON_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
# What tasks of the DAGs are called, and no experiment may be.
TAKEN = ("begin", "choose", "publish", "report", "end")


class Schedule(Section):
    """When an experiment is retrained without being asked, and what becomes of it when something fails.

    cron: five fields, in UTC; without it only new data do, or somebody by hand. retries: of a task that
    fails. timeout: hours that a task may take. What is left out is as dags/repository.py says.
    """

    cron: str | None = None
    retries: Annotated[int, Field(ge=0, le=10)] | None = None
    timeout: Annotated[FiniteFloat, Field(gt=0)] | None = None
    owner: Annotated[str, Field(min_length=1)] | None = None
    tags: tuple[str, ...] = ()
    description: str | None = None

    @field_validator("cron")
    @classmethod
    def _five_fields_in_their_ranges(cls, cron: str | None) -> str | None:
        if cron is not None and not _is_cron(cron):
            raise ValueError(f"is {cron!r}, but must be minute, hour, day, month and weekday: '30 4 * * 1'")
        return cron


def _is_cron(text: str) -> bool:
    """Whether there are five fields of numbers in their ranges, joined by `,`, `-` and `/`, or `*`."""
    fields = text.split(" ")
    return len(fields) == len(CRON_RANGES) and all(
        re.fullmatch(r"(\*|\d+(-\d+)?)(/[1-9]\d*)?(,(\*|\d+(-\d+)?)(/[1-9]\d*)?)*", field)
        and all(low <= int(number) <= high for number in re.findall(r"(?<![/\d])\d+", field))
        for field, (low, high) in zip(fields, CRON_RANGES, strict=True)
    )
