"""MLflow's pages and the Data Docs in a real browser that reaches this machine only."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from playwright.sync_api import Page, expect

from tests.browser import browser, page  # noqa: F401  (fixtures)
from tests.mlflow.servers import Server
from tests.project import Project

pytestmark = [
    pytest.mark.browser,
    pytest.mark.pipeline,
    pytest.mark.timeout(3600),
    pytest.mark.xdist_group("project"),
]
SECONDS = 60_000


@pytest.fixture(scope="module")
def ui(project: Project) -> Iterator[str]:
    """The address of a server over the project's own store, as `make ui` starts it."""
    server = Server(project.folder, "mlflow.db")
    server.start()
    yield server.uri
    server.stop()


def run_page(project: Project, ui: str) -> str:
    client = MlflowClient(f"sqlite:///{project.folder}/mlflow.db")
    experiment = client.get_experiment_by_name("fashion_cnn")
    (run,) = client.search_runs([experiment.experiment_id])
    return f"{ui}/#/experiments/{experiment.experiment_id}/runs/{run.info.run_id}"


def test_the_experiments_are_listed(project: Project, ui: str, page: Page):  # noqa: F811
    page.goto(f"{ui}/#/experiments")
    for name in ("boston_dnn", "imdb_linear", "fashion_cnn"):
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible(timeout=SECONDS)


def test_a_run_shows_its_curves(project: Project, ui: str, page: Page):  # noqa: F811
    page.goto(f"{run_page(project, ui)}/model-metrics")
    page.get_by_placeholder("Search metric charts").fill("train/loss")
    expect(page.get_by_text("(train/loss)").first).to_be_visible(timeout=SECONDS)
    assert page.locator(".js-plotly-plot .point, .js-plotly-plot path.js-line").count() > 0


def test_a_run_shows_its_pictures(project: Project, ui: str, page: Page):  # noqa: F811
    page.goto(f"{run_page(project, ui)}/artifacts")
    page.get_by_text("evaluation").first.click(timeout=SECONDS)
    page.get_by_text("confusion_matrix.png").first.click(timeout=SECONDS)
    picture = page.locator(
        "img[src^='blob:'], img[src*='confusion_matrix'], img[src^='data:image/png']"
    ).first
    expect(picture).to_be_visible(timeout=SECONDS)
    assert picture.evaluate("image => image.naturalWidth") > 100


def test_a_registered_model_shows_its_champion_and_its_card(project: Project, ui: str, page: Page):  # noqa: F811
    page.goto(f"{ui}/#/models/fashion_cnn/versions/1")
    expect(page.get_by_text("champion").first).to_be_visible(timeout=SECONDS)
    expect(page.get_by_text("Made data:").first).to_be_visible(timeout=SECONDS)
    expect(page.get_by_text("On the test rows, never seen in training").first).to_be_visible(timeout=SECONDS)


def test_the_data_docs_show_what_was_expected_and_found(project: Project, page: Page):  # noqa: F811
    docs = project.folder / "reports/validation/boston_housing/data_docs/index.html"
    page.goto(Path(docs).as_uri())
    expect(page.get_by_role("heading", name="boston_housing")).to_be_visible()
    expect(page.get_by_text("at least 400 rows")).to_be_visible()
