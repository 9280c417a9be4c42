import signal
import subprocess
import sys

import pytest

from evermodel.core import stage
from evermodel.core.errors import EvermodelError

SLEEPER = """
import sys, time
from evermodel.core import stage

def main(name):
    try:
        print("started", flush=True)
        time.sleep(60)
    finally:
        print("cleaned up", flush=True)

sys.argv = ["pipelines/train.py", "made"]
stage.run(main)
"""


@pytest.fixture
def call(monkeypatch):
    """A function that runs a stage as `python -m pipelines.train ARGUMENTS` would."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def called(main, *arguments):
        monkeypatch.setattr(sys, "argv", ["/somewhere/pipelines/train.py", *arguments])
        stage.run(main)

    return called


def test_a_stage_gets_the_name_on_the_command_line(call):
    names = []
    call(names.append, "fashion_cnn")
    assert names == ["fashion_cnn"]


def test_a_stage_over_everything_has_no_name(call):
    called = []
    call(lambda: called.append("yes"))
    assert called == ["yes"]


def test_an_expected_error_ends_in_one_sentence_that_says_whose_it_is(call):
    def main(name):
        raise EvermodelError("the file is missing; make it")

    with pytest.raises(SystemExit, match=r"^fashion_cnn: the file is missing; make it$"):
        call(main, "fashion_cnn")


def test_a_full_disk_ends_in_one_sentence_too(call):
    def main(name):
        raise OSError(28, "No space left on device", "model.keras")

    with pytest.raises(SystemExit, match=r"^fashion_cnn: .*model\.keras"):
        call(main, "fashion_cnn")


def test_an_unexpected_error_keeps_its_traceback(call):
    def main(name):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        call(main, "fashion_cnn")


def test_a_terminated_stage_cleans_up_and_exits_with_143():
    process = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "started\n"
    process.terminate()
    output, _ = process.communicate()
    assert (process.returncode, output) == (143, "cleaned up\n")


@pytest.mark.parametrize(("started", "expected"), [("-m", "False True"), ("pytest", "True True")])
def test_the_collector_rests_while_a_stage_is_imported_and_only_there(started, expected):
    script = f"""
import gc, sys
sys.argv = [{started!r}, "made"]  # Python says -m while it looks for `python -m pipelines.train`
import pipelines
imported = gc.isenabled()
from evermodel.core import stage
stage.run(lambda name: print(imported, gc.isenabled()))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == expected.split()
