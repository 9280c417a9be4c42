"""Where MLflow's own store in this folder says that files lie, when the folder was moved, copied or renamed.

MLflow keeps absolute paths, so that `models:/NAME@champion` is found from anywhere. In another folder they
would name the one before: nothing would be found, or a copy would write into the original.
"""

from itertools import product
from pathlib import Path

from mlflow.store.model_registry.dbmodels.models import SqlModelVersion
from mlflow.store.tracking.dbmodels.models import SqlExperiment, SqlExperimentTag, SqlLoggedModel, SqlRun
from sqlalchemy import create_engine, func, literal, update
from sqlalchemy.orm import Session

DEFAULT = 0  # the id of the experiment that is in every store
FOLDER = "evermodel.folder"  # its tag that says in which folder the store is
INSIDE = ("mlartifacts", "mlruns")  # where our experiments lie, and those that MLflow makes by itself
PLACES = (
    SqlExperiment.artifact_location,
    SqlRun.artifact_uri,
    SqlLoggedModel.artifact_location,
    SqlModelVersion.storage_location,
)


def relocate(store: str, here: Path) -> None:
    """Let a store, by its SQLAlchemy address, name its files in the folder it is in now; all or nothing.

    What another checkout, or MLflow from another folder, keeps elsewhere stays there.
    """
    with Session(create_engine(store)) as session, session.begin():
        tag = session.get(SqlExperimentTag, (FOLDER, DEFAULT))
        was = Path(tag.value) if tag else _made_in(session, here)
        if tag and was == here:
            return
        session.merge(SqlExperimentTag(key=FOLDER, experiment_id=DEFAULT, value=str(here)))
        written = ((was.as_uri(), here.as_uri()), (str(was), str(here)))
        for (old, new), folder, column in product(written, INSIDE, PLACES):
            before, now = f"{old}/{folder}/", f"{new}/{folder}/"
            moved = literal(now).concat(func.substr(column, len(before) + 1))
            there = column.startswith(before, autoescape=True)
            session.execute(update(column.class_).where(there).values({column.key: moved}))


def _made_in(session: Session, here: Path) -> Path:
    """The folder in which a store without that tag was made; `here` if a server made it, which keeps none."""
    place = session.get_one(SqlExperiment, DEFAULT).artifact_location
    return Path(place).parents[1] if place.startswith("/") else here
