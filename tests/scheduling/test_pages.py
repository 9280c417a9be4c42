"""A run from Airflow's form, in a real browser that reaches this machine only.

`EVERMODEL_PICTURES=docs/images pytest tests/scheduling/test_pages.py` renews the pictures of docs/airflow.md.
"""

import json
import re
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect

from tests.browser import HEIGHT, WIDTH, opened, picture
from tests.scheduling.server import PATIENCE, wait

pytestmark = [pytest.mark.all, pytest.mark.timeout(3000)]
DAG = "retrain.boston_linear"
TASKS = ("begin", "boston_housing.data", "train", "evaluate", "publish", "end")
STARTED = re.compile(r"/runs/(manual__[^/?]+)")
MILLISECONDS = 60_000  # that a page may take
LOW = 600  # pixels: a graph is a long line


@pytest.fixture(scope="module")
def page(browser, airflow, first, mixed):
    """The page of a run that the form has started, with the commit of the first one and beside another."""
    with opened(browser) as page:
        page.set_default_timeout(MILLISECONDS)
        page.goto(airflow.address)
        for field, value in zip(("username", "password"), airflow.login, strict=True):
            page.locator(f"input[name={field}]").fill(value)
        page.locator("button[type=submit]").click()
        page.get_by_role("link", name="Dags").wait_for()
        page.goto(f"{airflow.address}/dags/{DAG}")
        page.get_by_role("button", name="Trigger Dag").click()
        form = page.get_by_role("dialog")
        form.locator("#element_commit").fill(airflow.project.run("git", "rev-parse", "HEAD").stdout.strip())
        form.get_by_role("button", name="Trigger", exact=True).click()
        page.wait_for_url(STARTED)
        yield page


@pytest.fixture(scope="module")
def run_id(page):
    """What Airflow calls the run."""
    return unquote(STARTED.search(page.url)[1])


def test_a_run_from_the_form_turns_green(airflow, page, run_id):
    there = page.url
    page.goto("about:blank")  # to draw a run keeps half a core busy, so that only its last task is watched

    def comes_to_its_last_task():
        return {task["task_id"]: task["state"] for task in airflow.tasks(DAG, run_id)}["publish"]

    wait(comes_to_its_last_task)
    page.goto(there)
    title = page.get_by_role("heading", name=run_id).locator("..")
    expect(title.get_by_test_id("state-badge")).to_have_text("Success", timeout=PATIENCE * 1000)
    _, state, tasks = airflow.ended(DAG, run_id)
    assert state == "success"
    assert set(tasks.values()) == {"success"}


def test_its_graph_shows_a_task_for_each_stage(page):
    page.set_viewport_size({"width": WIDTH, "height": LOW})
    page.get_by_role("button", name="Show Graph").click()
    page.get_by_role("button", name="Expand all task groups").click()
    page.get_by_role("button", name="Collapse Details Panel").click()
    graph = page.locator(".react-flow__nodes")

    def all_are_seen():
        page.get_by_role("button", name="Fit View").click()  # what lies outside of the view is not drawn
        return all(graph.get_by_text(task, exact=True).is_visible() for task in TASKS)

    wait(all_are_seen)
    picture(page, "airflow-graph")


def test_its_grid_leads_to_the_log_of_a_task(page):
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    page.get_by_role("button", name="Show Grid").click()
    page.get_by_role("button", name="Show Details Panel").click()
    page.get_by_role("link", name="boston_linear.train", exact=True).first.click()
    address = "experiments/boston_linear/dvc.yaml:train"
    for said in (f"evermodel step run {address}", f"Stage '{address}' is cached"):
        expect(page.get_by_text(said).first).to_be_visible(timeout=MILLISECONDS)
    picture(page, "airflow-grid")


def test_a_second_run_of_the_commit_runs_no_stage_and_publishes_the_same(airflow, page, run_id):
    ran = set(re.findall(r"Running stage '(.+?)'", airflow.logs(run_id)))
    assert ran == {"experiments/boston_linear/dvc.yaml:promote"}, (
        "the registry is asked each time; it is in no cache"
    )
    before, after = (
        airflow.project.run("git", "rev-parse", name).stdout
        for name in airflow.branches()
        if name.startswith(f"runs/{DAG.replace('.', '-')}/")
    )
    assert before == after
    told = airflow.project.run(
        "evermodel", "history", "boston_linear", "--json", MLFLOW_TRACKING_URI=airflow.mlflow
    )
    assert [decided["version"] for decided in json.loads(told.stdout)] == [1]
