"""What a failed task tells, and whom; a webhook gets its call from a real run, in test_run.py."""

import json
import os
import socketserver
import subprocess
import threading
from email import message_from_string
from pathlib import Path

import pytest

pytestmark = pytest.mark.all
DAGS = Path(__file__).parents[2] / "dags"
FAIL = """
import json, logging, sys
from types import SimpleNamespace
sys.path.append(sys.argv[1])
from failures import explain
logging.getLogger("evermodel").addHandler(logging.StreamHandler())
failed = SimpleNamespace(task_id="a.train", dag_id="retrain.a", run_id="r", log_url="http://here/log")
explain("Mend it.")({"ti": failed, "dag": None, "exception": "<b> {{ 6 * 7 }}"})
print(json.dumps(sorted(sys.modules)))
"""
NOTIFIERS = {f"airflow.providers.{name}.notifications" for name in ("http", "smtp")}
SAID = "a.train of retrain.a failed in run r (<b> {{ 6 * 7 }}). Mend it. Log: http://here/log"


class Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as it takes to be told one mail."""

    def handle(self):
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            match line[:4].upper():
                case b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    body = iter(self.rfile.readline, b".\r\n")
                    self.server.told.append(b"".join(body).decode())
                    self.wfile.write(b"250 ok\r\n")
                case b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                case _:
                    self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def mails():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail) as server:
        server.told = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def fail(airflow_bin, tmp_path):
    def run(**connection):
        told = {"AIRFLOW_CONN_EVERMODEL_FAILURES": json.dumps(connection)} if connection else {}
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [airflow_bin / "python", "-c", FAIL, DAGS],
            env=clean | {"AIRFLOW_HOME": str(tmp_path)} | told,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_without_a_connection_a_failure_is_told_to_the_log_only_and_no_notifier_is_imported(fail):
    done = fail()
    assert done.returncode == 0, done.stderr
    assert SAID in done.stderr
    assert not NOTIFIERS & set(json.loads(done.stdout.splitlines()[-1]))


def test_a_mail_server_gets_a_mail_in_which_nothing_of_the_error_is_rendered(fail, mails):
    extra = {
        "from_email": "airflow@example.com",
        "to": "us@example.com",
        "disable_ssl": True,
        "disable_tls": True,
    }
    done = fail(conn_type="smtp", host="127.0.0.1", port=mails.server_address[1], extra=extra)
    assert done.returncode == 0, done.stderr
    mail = message_from_string(mails.told[0])
    assert (mail["To"], mail["Subject"]) == ("us@example.com", "a.train of retrain.a failed")
    (part,) = mail.get_payload()
    text = part.get_payload(decode=True).decode()
    assert "(&lt;b&gt; {{ 6 * 7 }})" in text
    assert "Log: http://here/log" in text


@pytest.mark.parametrize("connection", [{"conn_type": "ftp"}, {"conn_type": "smtp", "host": "127.0.0.1"}])
def test_a_connection_that_can_tell_nobody_is_named_and_the_log_has_the_failure(fail, connection):
    done = fail(**connection)
    assert SAID in done.stderr
    assert "the connection evermodel_failures can tell nobody" in done.stderr
