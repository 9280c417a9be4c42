"""Where MLflow's own store in this folder says that files lie, when the folder was moved, copied or renamed.

MLflow keeps absolute paths, so that `models:/NAME@champion` is found from anywhere. In another folder they
would name the one before: nothing would be found, or a copy would write into the original.
"""

import re
from pathlib import Path

from mlflow.store.model_registry.dbmodels.models import SqlModelVersion
from mlflow.store.tracking.dbmodels.models import SqlExperiment, SqlLoggedModel, SqlRun
from sqlalchemy import create_engine, func, literal, select, update
from sqlalchemy.orm import Session

PLACES = (
    SqlExperiment.artifact_location,
    SqlRun.artifact_uri,
    SqlLoggedModel.artifact_location,
    SqlModelVersion.storage_location,
)
# Our experiments lie in mlartifacts, those that MLflow makes by itself in mlruns.
INSIDE = re.compile(r"((?:file://)?/.*)(/(?:mlartifacts|mlruns)/)[^/]+")


def relocate(store: str, here: Path) -> None:
    """Let a store, by its SQLAlchemy address, name its files in the folder it is in now; all or nothing."""
    with Session(create_engine(store)) as session, session.begin():
        places = session.scalars(select(SqlExperiment.artifact_location))
        for was, inside in {found.groups() for place in places if (found := INSIDE.fullmatch(place))}:
            now = here.as_uri() if was.startswith("file:") else str(here)
            if was == now:
                continue
            old = f"{was}{inside}"
            for column in PLACES:
                moved = literal(f"{now}{inside}").concat(func.substr(column, len(old) + 1))
                in_old = column.startswith(old, autoescape=True)
                session.execute(update(column.class_).where(in_old).values({column.key: moved}))
