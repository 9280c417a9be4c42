"""One file from its URLs into a folder of downloads, where its hash is its name."""

import ipaddress
import re
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any
from urllib.parse import urlsplit

import requests
import urllib3
from filelock import FileLock
from rich.console import Console
from rich.progress import DownloadColumn, Progress

from evermodel.core.data import file_hash
from evermodel.core.errors import EvermodelError
from evermodel.datasets.source import RemoteFile

# Outside of every stage's outputs, which DVC deletes before the stage runs: what is here outlives a kill.
FOLDER = Path(".evermodel/downloads")
TRIES = 3
PAUSE = 1.0  # seconds before the second try; doubled before each one after it
TIMEOUT = (10, 60)  # seconds to connect, seconds without a byte
CHUNK = 1 << 16  # bytes; the most that a cut connection loses
CLOUDS = ("s3", "gs", "gcs", "az", "abfs", "abfss")  # where fsspec reads, with what the user may there


class UnavailableError(EvermodelError):
    """Why a file did not come; another try may help."""


class RefusedError(UnavailableError):
    """Why a file will not come from this URL, however often it is tried."""


class OtherFileError(UnavailableError):
    """Why what came is not the file that was described; the description may be wrong."""


class OtherSizeError(OtherFileError, RefusedError):
    """Why what is offered is not even asked for."""


def cached(file: RemoteFile) -> Path:
    """Where a download lies once it is whole."""
    return FOLDER / file.digest


def fault(path: Path, file: RemoteFile) -> str:
    """What keeps a path from being that file; empty if nothing does."""
    if not path.is_file():
        return "is missing"
    size, found = path.stat().st_size, file_hash(path, file.algorithm)
    if size != file.bytes:
        return f"has {size} bytes, not {file.bytes}, and {file.algorithm} {found}{_looks_like_html(path)}"
    if found != file.digest:
        return f"has {file.algorithm} {found}, not {file.digest}{_looks_like_html(path)}"
    return ""


def download(file: RemoteFile) -> str:
    """Bring the file to `cached(file)` and tell where it came from.

    A cut download goes on where it stopped, also after a kill; two processes that want the same file load
    it once. Raises UnavailableError that tells what came of each URL; what has the wrong hash is deleted.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    partial = cached(file).with_suffix(".partial")
    reasons = []
    kind = UnavailableError
    with FileLock(cached(file).with_suffix(".lock")):
        if not fault(cached(file), file):
            return "download of another process"
        for url in file.urls:
            try:
                _try_often(url, file, partial)
            except UnavailableError as error:
                reasons.append(f"{url} {error}")
                kind = OtherFileError if isinstance(error, OtherFileError) else kind
            else:
                partial.replace(cached(file))
                return url
    raise kind("; ".join(reasons) or "no URL is known")


def described(url: str) -> RemoteFile:
    """What params.yaml says of a file that nobody has described yet, which is downloaded to tell.

    Raises UnavailableError if it does not come.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=FOLDER) as folder:
        whole = Path(folder, "whole")
        try:
            with whole.open("wb") as out:
                out.writelines(_object(url) if urlsplit(url).scheme in CLOUDS else _body(url))
        except UnavailableError as error:
            raise UnavailableError(f"{url} {error}") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise UnavailableError(f"{url} broke off: {_cause(error)}") from None
        if not (size := whole.stat().st_size):
            raise UnavailableError(f"{url} is empty; give another")
        name = re.sub(r"[^A-Za-z0-9._-]+", "_", Path(urlsplit(url).path).name).lstrip("._-")
        file = RemoteFile(name=name or "data", bytes=size, sha256=file_hash(whole), urls=(url,))
        whole.replace(cached(file))
    return file


def _body(url: str) -> Iterator[bytes]:
    """What a web server answers."""
    headers = {"Accept-Encoding": "identity"}
    with (
        _Session(local=_is_loopback(url)) as session,
        session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response,
    ):
        if response.status_code != requests.codes.ok:
            raise RefusedError(f"answered {response.status_code} {response.reason}")
        if response.headers.get("Content-Type", "").startswith("text/html"):
            raise RefusedError("is an HTML page, not the file")
        yield from response.iter_content(CHUNK)


def _object(url: str) -> Iterator[bytes]:
    """What a cloud keeps."""
    import fsspec  # with what it needs of a cloud, half a second that nobody else has to wait

    try:
        system, path = fsspec.url_to_fs(url)
        with system.open(path, "rb") as source:
            yield from iter(lambda: source.read(CHUNK), b"")
    except Exception as error:  # every cloud has its own
        told = " ".join(str(error).split())
        raise UnavailableError(f"can't be read ({type(error).__name__}: {told})") from None


def _try_often(url: str, file: RemoteFile, partial: Path) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            _try(url, file, partial)
            break
        except UnavailableError as error:
            if isinstance(error, RefusedError) or attempt == TRIES:
                raise
        time.sleep(PAUSE * 2 ** (attempt - 1))


def _try(url: str, file: RemoteFile, partial: Path) -> None:
    """Complete `partial`, or say why not; it is kept only where going on with it may succeed."""
    start = partial.stat().st_size if partial.exists() else 0
    if start < file.bytes:
        try:
            (_cloud if urlsplit(url).scheme in CLOUDS else _stream)(url, file, partial, start)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise UnavailableError(f"broke off: {_cause(error)}") from None
    if partial.stat().st_size > file.bytes:
        partial.unlink()
        raise OtherFileError(f"sends more than {file.bytes} bytes")
    if wrong := fault(partial, file):
        partial.unlink(missing_ok=True)
        raise OtherFileError(wrong)


def _stream(url: str, file: RemoteFile, partial: Path, start: int) -> None:
    """Append what is missing after `start` bytes."""
    # A server that compresses on its way would change the bytes that the hash is of.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with (
        _Session(local=_is_loopback(url)) as session,
        session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response,
    ):
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            partial.unlink(missing_ok=True)
        _accept(response, file, start)
        with partial.open("ab" if response.status_code == requests.codes.partial else "wb") as out:
            _write(file, response.raw.stream(CHUNK, decode_content=False), out)


def _cloud(url: str, file: RemoteFile, partial: Path, start: int) -> None:
    """Append what is missing after `start` bytes of an object in a cloud."""
    import fsspec  # with what it needs of a cloud, half a second that nobody else has to wait

    try:
        system, path = fsspec.url_to_fs(url)
        if (size := system.size(path)) != file.bytes:
            raise OtherSizeError(f"offers {size} bytes, not {file.bytes}")
        with system.open(path, "rb") as source, partial.open("ab") as out:
            source.seek(start)
            _write(file, iter(lambda: source.read(CHUNK), b""), out)
    except UnavailableError:
        raise
    except Exception as error:  # every cloud has its own
        kind = (
            RefusedError
            if isinstance(error, FileNotFoundError | PermissionError | ImportError)
            else UnavailableError
        )
        raise kind(f"can't be read ({type(error).__name__}: {' '.join(str(error).split())})") from None


def _write(file: RemoteFile, chunks: Iterable[bytes], out: IO[bytes]) -> None:
    """Write what comes, but no more than the file's size plus a chunk."""
    with _progress() as progress:
        task = progress.add_task(file.name, total=file.bytes, completed=out.tell())
        for chunk in chunks:
            out.write(chunk)
            progress.advance(task, len(chunk))
            if out.tell() > file.bytes:
                return


def _accept(response: requests.Response, file: RemoteFile, start: int) -> None:
    """Refuse an answer that can't be the file, before it overwrites what has come so far."""
    status = response.status_code
    if status in (408, 416, 429) or status >= 500:
        raise UnavailableError(f"answered {status} {response.reason}")
    if status not in (200, 206):
        raise RefusedError(f"answered {status} {response.reason}")
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise RefusedError("is an HTML page, not the file")
    expected = file.bytes - (start if status == 206 else 0)
    if (length := response.headers.get("Content-Length", str(expected))) != str(expected):
        raise OtherSizeError(f"offers {length} bytes, not {expected}")


def _progress() -> Progress:
    """A bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    return Progress(
        *Progress.get_default_columns(),
        DownloadColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


class _Session(requests.Session):
    """Goes, and follows redirects, only to where public files may lie."""

    def __init__(self, local: bool) -> None:
        super().__init__()
        self.local = local

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send one request; every hop of a redirect comes through here."""
        url = request.url or ""
        if not (_is_loopback(url) if self.local else _is_public(url)):
            raise RefusedError(f"leads to {url}; only https to a public host is allowed")
        return super().send(request, **options)


def _is_loopback(url: str) -> bool:
    """Whether a URL stays on this machine, as a test's server or a tunnel does."""
    address = _address(url)
    return urlsplit(url).scheme in ("http", "https") and address is not None and address.is_loopback


def _is_public(url: str) -> bool:
    address = _address(url)
    return urlsplit(url).scheme == "https" and (address is None or address.is_global)


def _address(url: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a URL's host is written as, None if it is a name."""
    host = urlsplit(url).hostname or ""
    try:  # as connect() reads it: 127.1 and 2130706433 are addresses too
        return ipaddress.ip_address(socket.inet_aton("127.0.0.1" if host == "localhost" else host))
    except OSError:
        pass
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _looks_like_html(path: Path) -> str:
    with path.open("rb") as stream:
        return " and is an HTML page" if stream.read(64).lstrip().startswith(b"<") else ""


def _cause(error: Exception) -> str:
    """The innermost reason, without the addresses of objects that urllib3 writes around it."""
    while (inner := error.__cause__ or error.__context__) and isinstance(inner, Exception):
        error = inner
    return str(error)
