"""The request log: a line of JSON per answer, from which drift can be told later."""

import hmac
import json
import logging
import os
import secrets
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from evermodel.core.errors import EvermodelError
from evermodel.serving.champion import Champion

BYTES, KEPT = 10_000_000, 4  # of one file; old files
log = logging.getLogger("evermodel.serving")


class RequestLog:
    """Lines of JSON in a file per experiment, which begins anew when it is full; old ones stay for a while.

    Several servers may write into one folder: each line goes to the end in one piece. What was asked may be
    private, so that it stands there by its HMAC, which nobody finds by trying who has not the folder's key.
    Raises EvermodelError if the folder can't be had, or its key not be read.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.folder, self._key = folder, _key(folder / "key")
        except OSError as error:
            raise EvermodelError(
                f"{error.filename or folder} is needed for the request log and can't be used "
                f"({error.strerror}); mend the permission or free space"
            ) from None

    def mark(self, body: bytes) -> dict[str, Any]:
        """What stands for the body of a request: its size, and what is the same for the same bytes."""
        return {"input_hmac": self._hmac(body), "input_bytes": len(body)}

    def note(self, champion: Champion, form: str, seconds: float, mark: dict[str, Any], answer: Any) -> None:
        """Write down an answer, an image by its HMAC. mark: that of what was asked."""
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "model": champion.name,
            "version": champion.version,
            "run_id": champion.run_id,
            "form": form,
            "milliseconds": round(seconds * 1000, 2),
            **mark,
            "answer": answer,
        }
        text = json.dumps(line, ensure_ascii=False, default=self._hmac) + "\n"
        try:
            self._write(self.folder / f"{champion.name}.jsonl", text.encode())
        except OSError as error:  # a full disk keeps nobody from an answer
            log.warning("%s: the request log was not written: %s", champion.name, error)

    def _hmac(self, content: bytes) -> str:
        return hmac.digest(self._key, content, "sha256").hex()

    def _write(self, file: Path, line: bytes) -> None:
        if _is_full(file):
            with FileLock(self.folder / "lock"):
                if _is_full(file):  # unless another server was faster
                    _begin_anew(file)
        with file.open("ab", buffering=0) as stream:
            stream.write(line)


def _is_full(file: Path) -> bool:
    try:
        return file.stat().st_size >= BYTES
    except FileNotFoundError:
        return False


def _begin_anew(file: Path) -> None:
    for number in range(KEPT, 0, -1):
        older = file.with_name(f"{file.name}.{number - 1}") if number > 1 else file
        if older.exists():
            older.replace(file.with_name(f"{file.name}.{number}"))


def _key(file: Path) -> bytes:
    """The key of a folder, made by the first who needs it, and readable to its owner alone."""
    if not file.exists():
        number, name = tempfile.mkstemp(dir=file.parent)  # with mode 0600
        with os.fdopen(number, "wb") as stream:
            stream.write(secrets.token_bytes(32))
        with suppress(FileExistsError):  # another server was faster
            os.link(name, file)
        Path(name).unlink()
    return file.read_bytes()
