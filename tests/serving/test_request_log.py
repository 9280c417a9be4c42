import json
import threading

import pytest

from evermodel.core.errors import EvermodelError
from evermodel.serving import request_log
from evermodel.serving.request_log import RequestLog
from tests.serving.conftest import champion


def lines(folder, name="houses"):
    return [json.loads(line) for file in sorted(folder.glob(f"{name}.jsonl*")) for line in file.open()]


def note(log, answer, name="houses"):
    log.note(champion(name), "plain", 0.001, log.mark(b"asked"), answer)


def test_what_was_asked_is_the_same_to_every_server_of_a_folder_and_to_nobody_else(tmp_path):
    one, again, other = (RequestLog(tmp_path / name) for name in ("here", "here", "there"))
    assert one.mark(b"a") == again.mark(b"a") != other.mark(b"a")
    assert one.mark(b"a")["input_bytes"] == 1
    assert one.mark(b"a")["input_hmac"] != one.mark(b"b")["input_hmac"]
    assert (tmp_path / "here/key").stat().st_mode & 0o777 == 0o600


def test_many_who_begin_at_once_take_the_same_key(tmp_path):
    marks = []

    def begin():
        marks.append(RequestLog(tmp_path).mark(b"a")["input_hmac"])

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(set(marks)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("where", ["requests", "requests/key"])
def test_a_folder_that_can_not_be_used_is_one_sentence(tmp_path, where):
    folder = tmp_path / "requests"
    if where == "requests":
        folder.touch()
    else:
        (tmp_path / where).mkdir(parents=True)
    with pytest.raises(EvermodelError, match=f"{where} is needed for the request log and can't be used"):
        RequestLog(folder)


def test_large_answers_of_one_push_out_nothing_of_another(tmp_path, monkeypatch):
    monkeypatch.setattr(request_log, "BYTES", 2000)
    log = RequestLog(tmp_path)
    note(log, [1.0])
    for _ in range(50):
        note(log, ["x" * 1500], "masks")
    assert len(lines(tmp_path)) == 1
    assert len(list(tmp_path.glob("masks.jsonl*"))) == 1 + request_log.KEPT


def test_several_servers_lose_no_line_and_mix_none_while_the_log_begins_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(request_log, "BYTES", 20_000)
    monkeypatch.setattr(request_log, "KEPT", 50)
    logs = [RequestLog(tmp_path) for _ in range(4)]

    def write(number):
        for count in range(100):
            note(logs[number], [[number, count], "x" * 200])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(len(logs))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    told = sorted(line["answer"][0] for line in lines(tmp_path))
    assert told == [[number, count] for number in range(4) for count in range(100)]
    assert len(list(tmp_path.glob("houses.jsonl.*"))) > 3


@pytest.mark.filterwarnings("error")
def test_a_log_that_can_not_be_written_is_told_and_nobody_is_kept_from_an_answer(tmp_path, caplog):
    log = RequestLog(tmp_path)
    (tmp_path / "houses.jsonl").mkdir()
    note(log, [1.0])
    assert "houses: the request log was not written" in caplog.text
