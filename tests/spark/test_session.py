"""What Spark needs, told before it is started."""

import pytest

from evermodel.core.errors import EvermodelError
from evermodel.spark import session


def start():
    with session.started("made"):
        pass


def test_without_pyspark_one_sentence_says_what_installs_it(monkeypatch):
    monkeypatch.setattr(session, "find_spec", lambda name: None)
    with pytest.raises(EvermodelError, match=r"data/made/params\.yaml: engine is spark.*`make \.venv/spark`"):
        start()


@pytest.mark.parametrize("home", [None, "/nowhere"])
def test_without_java_one_sentence_says_what_to_install(monkeypatch, tmp_path, home):
    monkeypatch.setattr(session, "find_spec", lambda name: name)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    if home:
        monkeypatch.setenv("JAVA_HOME", home)
    with pytest.raises(EvermodelError, match=r"Java is not here; install Java 17, .* or remove engine"):
        start()


def test_workers_get_our_package_whole(tmp_path):
    import zipfile

    file = session._packed(tmp_path / "evermodel.zip")
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    assert {"evermodel/__init__.py", "evermodel/spark/session.py", "evermodel/core/fields.py"} <= set(names)
    assert not [name for name in names if "__pycache__" in name]
