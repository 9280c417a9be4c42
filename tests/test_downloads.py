import hashlib
import random
import subprocess
import sys
import threading
import time

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from evermodel import downloads
from evermodel.datasets.source import RemoteFile
from evermodel.downloads import UnavailableError
from tests.server import Handler, cut, serving, status, whole

CONTENT = random.Random(0).randbytes(300_000)
PAGE = b"<!DOCTYPE html><html><body>Please log in</body></html>"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(downloads, "PAUSE", 0)
    return tmp_path / downloads.FOLDER


def wanted(*urls, content=CONTENT):
    sha256 = hashlib.sha256(content).hexdigest()
    return RemoteFile(name="some.data", bytes=len(content), sha256=sha256, urls=urls)


def refusal(*answers, file=wanted):
    """What a download from a server with these answers says, and what it asked for."""
    with serving(*answers) as server, pytest.raises(UnavailableError) as error:
        downloads.download(file(server.url))
    return str(error.value), server.requests


def left(folder):
    return sorted(path.suffix for path in folder.iterdir() if path.suffix != ".lock")


def test_a_file_arrives_whole_under_its_hash(folder):
    with serving(whole(CONTENT)) as server:
        file = wanted(server.url)
        assert downloads.download(file) == server.url
    assert downloads.cached(file).read_bytes() == CONTENT
    assert left(folder) == [""]


def test_a_file_that_is_known_by_its_md5_alone_is_checked_by_it(folder):
    digest = hashlib.md5(CONTENT).hexdigest()
    with serving(whole(CONTENT)) as server:
        file = RemoteFile(name="some.h5", bytes=len(CONTENT), md5=digest, urls=(server.url,))
        downloads.download(file)
    assert downloads.cached(file).name == digest
    assert downloads.cached(file).read_bytes() == CONTENT
    assert downloads.fault(downloads.cached(file), file) == ""


def test_a_wrong_md5_is_refused_and_deleted(folder):
    other = bytes(len(CONTENT))

    def known(url):
        return RemoteFile(
            name="some.h5", bytes=len(CONTENT), md5=hashlib.md5(CONTENT).hexdigest(), urls=(url,)
        )

    message, _ = refusal(whole(other), file=known)
    assert f"has md5 {hashlib.md5(other).hexdigest()}" in message
    assert left(folder) == []


def test_a_cut_connection_goes_on_where_it_stopped():
    with serving(cut(CONTENT, 200_000), whole(CONTENT)) as server:
        file = wanted(server.url)
        downloads.download(file)
    assert downloads.cached(file).read_bytes() == CONTENT
    (_, first), (_, second) = server.requests
    assert first is None
    assert 200_000 - downloads.CHUNK <= int(second.removeprefix("bytes=").removesuffix("-")) <= 200_000


def test_a_download_killed_in_the_middle_is_resumed_by_the_next_one(folder):
    halt = threading.Event()

    def stall(handler):
        handler.reply(200, CONTENT[:150_000], Content_Length=str(len(CONTENT)))
        handler.wfile.flush()
        halt.wait(60)

    with serving(stall, whole(CONTENT)) as server:
        file = wanted(server.url)
        script = (
            "import sys; from evermodel import downloads; from evermodel.datasets.source import RemoteFile;"
        )
        script += "downloads.download(RemoteFile.model_validate_json(sys.argv[1]))"
        process = subprocess.Popen([sys.executable, "-c", script, file.model_dump_json()])
        partial = downloads.cached(file).with_suffix(".partial")
        while not (partial.exists() and partial.stat().st_size):
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
        process.wait()
        halt.set()
        downloads.download(file)
    assert downloads.cached(file).read_bytes() == CONTENT
    assert server.requests[1][1] is not None
    assert left(folder) == [""]


def test_a_complete_partial_file_needs_no_request(folder):
    with serving(status(500)) as server:
        file = wanted(server.url)
        folder.mkdir(parents=True)
        downloads.cached(file).with_suffix(".partial").write_bytes(CONTENT)
        downloads.download(file)
    assert server.requests == []
    assert downloads.cached(file).read_bytes() == CONTENT


@pytest.mark.parametrize("size", [len(CONTENT), len(CONTENT) + 1, 1000], ids=["whole", "longer", "shorter"])
def test_a_wrong_partial_file_is_thrown_away_and_loaded_again(folder, size):
    with serving(whole(CONTENT)) as server:
        file = wanted(server.url)
        folder.mkdir(parents=True)
        downloads.cached(file).with_suffix(".partial").write_bytes(bytes(size))
        downloads.download(file)
    assert downloads.cached(file).read_bytes() == CONTENT


def test_a_server_that_can_not_resume_sends_the_whole_file_again(folder):
    with serving(status(200, CONTENT)) as server:
        file = wanted(server.url)
        folder.mkdir(parents=True)
        downloads.cached(file).with_suffix(".partial").write_bytes(CONTENT[:1000])
        downloads.download(file)
    assert downloads.cached(file).read_bytes() == CONTENT


def test_a_partial_file_that_the_server_will_not_continue_is_loaded_again(folder):
    with serving(status(416), whole(CONTENT)) as server:
        file = wanted(server.url)
        folder.mkdir(parents=True)
        downloads.cached(file).with_suffix(".partial").write_bytes(CONTENT[:1000])
        downloads.download(file)
    assert [asked for _, asked in server.requests] == ["bytes=1000-", None]
    assert downloads.cached(file).read_bytes() == CONTENT


def test_a_server_error_is_tried_again():
    with serving(status(500), status(503), whole(CONTENT)) as server:
        downloads.download(wanted(server.url))
    assert len(server.requests) == 3


def test_a_lasting_server_error_is_told_after_three_tries(folder):
    message, requests = refusal(status(503))
    assert "answered 503" in message
    assert len(requests) == 3
    assert left(folder) == []


def test_a_missing_file_is_told_at_once(folder):
    message, requests = refusal(status(404))
    assert "answered 404 Not Found" in message
    assert len(requests) == 1
    assert left(folder) == []


def test_the_next_url_is_asked_when_one_fails():
    with serving(status(404)) as bad, serving(whole(CONTENT)) as good:
        assert downloads.download(wanted(bad.url, good.url)) == good.url


def test_a_wrong_hash_is_refused_three_times_and_deleted(folder):
    other = bytes(len(CONTENT))
    message, requests = refusal(whole(other))
    assert f"has sha256 {hashlib.sha256(other).hexdigest()}" in message
    assert len(requests) == 3
    assert left(folder) == []


def test_an_html_page_is_refused_by_its_type(folder):
    message, _ = refusal(status(200, PAGE, Content_Type="text/html; charset=utf-8"))
    assert "is an HTML page" in message
    assert left(folder) == []


def test_an_html_page_does_not_overwrite_what_came_before(folder):
    with serving(status(200, PAGE, Content_Type="text/html")) as server:
        file = wanted(server.url)
        folder.mkdir(parents=True)
        partial = downloads.cached(file).with_suffix(".partial")
        partial.write_bytes(CONTENT[:1000])
        with pytest.raises(UnavailableError):
            downloads.download(file)
    assert partial.read_bytes() == CONTENT[:1000]


def test_an_html_page_of_the_right_size_is_named_as_one(folder):
    page = PAGE.ljust(len(CONTENT))
    message, _ = refusal(whole(page))
    assert "is an HTML page" in message
    assert left(folder) == []


def test_a_truncated_file_is_refused_before_it_is_written(folder):
    message, _ = refusal(whole(CONTENT[:-10]))
    assert "offers 299990 bytes, not 300000" in message
    assert left(folder) == []


def test_an_empty_answer_is_refused(folder):
    message, _ = refusal(status(200))
    assert "offers 0 bytes, not 300000" in message
    assert left(folder) == []


def test_an_endless_answer_is_cut_at_the_expected_size(folder):
    sent = []

    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        handler.close_connection = True
        try:
            while sum(sent) < 100 * len(CONTENT):
                sent.append(handler.wfile.write(bytes(10_000)))
        except OSError:
            pass

    message, _ = refusal(endless)
    assert "more than 300000 bytes" in message
    assert left(folder) == []


def test_no_network_is_told_in_words(folder):
    with serving(whole(CONTENT)) as server:
        url = server.url
    with pytest.raises(UnavailableError, match=r"broke off: .*refused"):
        downloads.download(wanted(url))
    assert left(folder) == []


def test_a_file_without_url_says_so():
    with pytest.raises(UnavailableError, match="no URL is known"):
        downloads.download(wanted())


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/some.data", "ftp://example.com/some.data", "file:///etc/passwd",
        "file://localhost/etc/passwd", "https://10.0.0.1/some.data", "https://192.168.1.1/some.data",
        "https://169.254.169.254/latest/meta-data", "https://[fd00::1]/some.data", "https://[::ffff:10.0.0.1]/x",
        "http://127.0.0.1@example.com/some.data",
    ],
)  # fmt: skip
def test_only_https_to_public_hosts_is_asked(url):
    with pytest.raises(UnavailableError, match=r"only https|No connection adapters"):
        downloads.download(wanted(url))


@pytest.mark.parametrize(
    "target", ["http://10.0.0.1/x", "https://example.com/x", "file:///etc/passwd", "ftp://a/x"]
)
def test_a_redirect_to_elsewhere_is_refused(target):
    message, requests = refusal(status(302, Location=target))
    assert f"leads to {target}" in message
    assert len(requests) == 1


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "localhost", "[::1]", "10.0.0.1"])
def test_a_public_source_may_not_lead_to_this_machine_or_its_network(host):
    assert not downloads._is_public(f"https://{host}/x")


def test_a_redirect_on_the_same_machine_is_followed():
    with serving(whole(CONTENT)) as target, serving(status(302, Location=target.url)) as start:
        downloads.download(wanted(start.url))
    assert len(target.requests) == 1


def test_two_processes_that_want_the_same_file_load_it_once():
    with serving(whole(CONTENT)) as server:
        file = wanted(server.url)
        threads = [threading.Thread(target=downloads.download, args=(file,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.requests) == 1
    assert downloads.cached(file).read_bytes() == CONTENT


def test_a_damaged_earlier_download_is_replaced(folder):
    with serving(whole(CONTENT)) as server:
        file = wanted(server.url)
        folder.mkdir(parents=True)
        downloads.cached(file).write_bytes(bytes(len(CONTENT)))
        downloads.download(file)
    assert downloads.cached(file).read_bytes() == CONTENT


@pytest.fixture
def cloud(monkeypatch):
    """A bucket in memory."""
    bucket = MemoryFileSystem()
    bucket.pipe("/bucket/some.data", CONTENT)
    monkeypatch.setattr(fsspec, "url_to_fs", lambda url: (bucket, url.removeprefix("s3:/")))
    yield bucket
    bucket.store.clear()


def test_a_file_in_a_cloud_is_read_as_the_user_may(cloud, folder):
    file = wanted("s3://bucket/some.data")
    assert downloads.download(file) == "s3://bucket/some.data"
    assert downloads.cached(file).read_bytes() == CONTENT
    assert left(folder) == [""]


def test_a_download_from_a_cloud_goes_on_where_it_stopped(cloud, folder):
    file = wanted("s3://bucket/some.data")
    folder.mkdir(parents=True)
    downloads.cached(file).with_suffix(".partial").write_bytes(CONTENT[:1000])
    cloud.pipe("/bucket/some.data", bytes(1000) + CONTENT[1000:])
    downloads.download(file)
    assert downloads.cached(file).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, r"can't be read \(FileNotFoundError: "),
        (CONTENT[1:], "offers 299999 bytes, not 300000"),
        (CONTENT[::-1], "has sha256 "),
    ],
)
def test_another_file_in_a_cloud_is_refused(cloud, folder, content, told):
    cloud.rm("/bucket/some.data") if content is None else cloud.pipe("/bucket/some.data", content)
    with pytest.raises(UnavailableError, match=told):
        downloads.download(wanted("s3://bucket/some.data"))
    assert left(folder) == []


def test_a_cloud_that_nobody_can_read_is_told_in_a_sentence(cloud, monkeypatch):
    def size(*_):
        raise RuntimeError("no\ncredentials")

    monkeypatch.setattr(MemoryFileSystem, "size", size)
    with pytest.raises(UnavailableError, match=r"s3://b/c can't be read \(RuntimeError: no credentials\)$"):
        downloads.download(wanted("s3://b/c"))


@pytest.mark.parametrize("scheme", downloads.CLOUDS)
def test_what_reads_from_each_cloud_is_installed(scheme):
    assert fsspec.get_filesystem_class(scheme)


def test_an_object_of_s3_is_read_by_its_protocol(folder, monkeypatch):
    """With the login of the environment, from a server on this machine."""

    def answer(handler):
        assert "Credential=me/" in handler.headers["Authorization"]
        handler.close_connection = True
        first, last = map(int, handler.headers["Range"].removeprefix("bytes=").split("-"))
        handler.reply(206, CONTENT[first : last + 1], Content_Range=f"bytes {first}-{last}/{len(CONTENT)}")

    def head(handler):
        handler.close_connection = True
        handler.reply(200, Content_Length=str(len(CONTENT)))

    monkeypatch.setattr(Handler, "do_HEAD", head, raising=False)
    for name, value in (("ACCESS_KEY_ID", "me"), ("SECRET_ACCESS_KEY", "x"), ("MAX_ATTEMPTS", "1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with serving(answer) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        downloads.download(wanted("s3://bucket/some.data"))
    assert downloads.cached(wanted()).read_bytes() == CONTENT
    assert {path.partition("?")[0] for path, _ in server.requests} == {"/bucket/some.data"}


def test_a_file_that_nobody_has_described_is_downloaded_once_to_tell(folder, cloud):
    with serving(whole(CONTENT)) as server:
        found = downloads.described(f"{server.url}/my%20data.csv?day=1")
        told = downloads.described("s3://bucket/some.data")
        assert (found.bytes, found.sha256) == (len(CONTENT), wanted().sha256)
        assert found.urls == (f"{server.url}/my%20data.csv?day=1",)
        assert (told.name, told.sha256) == ("some.data", wanted().sha256)
    assert downloads.fault(downloads.cached(found), found) == ""
    assert left(folder) == [""]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (status(404), "404"),
        (cut(CONTENT, 1000), "broke off"),
        (lambda handler: handler.reply(200, PAGE, Content_Type="text/html"), "HTML"),
        (whole(b""), "is empty"),
    ],
)
def test_what_does_not_come_whole_is_not_described_and_leaves_nothing(folder, answer, expected):
    with serving(answer) as server, pytest.raises(UnavailableError, match=expected) as error:
        downloads.described(server.url)
    assert server.url in str(error.value)
    assert left(folder) == []


def test_a_url_that_leads_into_a_network_of_ones_own_is_not_described(folder):
    with pytest.raises(UnavailableError, match="only https"):
        downloads.described("http://192.168.0.1/data.csv")
