"""MLflow's pages and the Data Docs in a real browser that reaches this machine only.

`EVERMODEL_PICTURES=docs/images pytest tests/mlflow/test_ui.py` renews the pictures of docs/mlflow.md.
"""

from collections.abc import Iterator

import pytest
from mlflow.tracking import MlflowClient
from playwright.sync_api import Page, expect

from evermodel.core import folders
from evermodel.runs import recipe
from tests.browser import picture
from tests.mlflow.servers import Server
from tests.project import Project

pytestmark = [pytest.mark.all, pytest.mark.timeout(5000)]
SECONDS = 60_000
# What a person chooses once, with a click each: the view for trainings, and no assistant beside it.
CHOICES = """
localStorage.setItem("mlflow.workflowType_v1", '"machine_learning"');
localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
"""


@pytest.fixture(scope="module")
def ui(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server over the project's own store, as `make ui` starts it."""
    server = Server(tmp_path_factory.mktemp("ui"), str(project.folder / "mlflow.db"))
    server.start()
    yield server.uri
    server.stop()


@pytest.fixture
def page(page: Page) -> Page:
    """An empty page, the choices made."""
    page.add_init_script(CHOICES)
    return page


def run_page(project: Project, ui: str) -> str:
    client = MlflowClient(f"sqlite:///{project.folder}/mlflow.db")
    experiment = client.get_experiment_by_name("fashion_cnn")
    champion = client.get_model_version_by_alias("fashion_cnn", "champion")  # other tests train it once more
    return f"{ui}/#/experiments/{experiment.experiment_id}/runs/{champion.run_id}"


def test_the_experiments_are_listed(project, ui, page):
    page.goto(f"{ui}/#/experiments")
    with project.inside():
        some = folders.names(folders.EXPERIMENTS)[:10]  # a page shows twenty-five
    for name in some:
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible(timeout=SECONDS)
    expect(page.get_by_text("membrane (segmentation)")).to_be_visible()
    picture(page, "mlflow-experiments")


def test_a_run_shows_its_curves(project, ui, page):
    page.goto(f"{run_page(project, ui)}/model-metrics")
    page.get_by_placeholder("Search metric charts").fill("(train|validation)/(loss|accuracy)")
    for curve in ("train/loss", "validation/loss", "train/accuracy"):
        expect(page.get_by_text(f"({curve})").first).to_be_visible(timeout=SECONDS)
    points = page.locator(".js-plotly-plot").first.locator(".scatterlayer .point")
    with project.inside():
        epochs = recipe.load("fashion_cnn", "sample").train.epochs
    expect(points).to_have_count(epochs, timeout=SECONDS)
    picture(page, "mlflow-run")


def test_a_run_shows_its_images(project, ui, page):
    page.goto(f"{run_page(project, ui)}/artifacts")
    page.get_by_text("evaluation").first.click(timeout=SECONDS)
    page.get_by_text("confusion_matrix.png").first.click(timeout=SECONDS)
    shown = page.locator("img[src^='blob:'], img[src*='confusion_matrix'], img[src^='data:image/png']").first
    expect(shown).to_be_visible(timeout=SECONDS)
    assert shown.evaluate("image => image.naturalWidth") > 100
    picture(page, "mlflow-artifacts")


def test_a_registered_model_shows_its_champion_and_its_card(project, ui, page):
    page.goto(f"{ui}/#/models/fashion_cnn/versions/1")
    for text in ("champion", "Synthetic data:", "On the test rows, never seen in training"):
        expect(page.get_by_text(text).first).to_be_visible(timeout=SECONDS)
    picture(page, "mlflow-model")


def test_the_data_docs_show_what_was_expected_and_found(project, page):
    docs = project.folder / "data/boston_housing/validation/data_docs/index.html"
    page.goto(docs.as_uri())
    expect(page.get_by_role("heading", name="boston_housing")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="at least 400 rows")
    expect(row).to_contain_text("506")
    picture(page, "data-docs")
