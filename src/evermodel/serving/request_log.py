"""The request log: a line of JSON per answer, from which drift can be told later."""

import hashlib
import json
import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from evermodel.serving.champion import Champion

BYTES, KEPT = 50_000_000, 5  # of one file; old files


class RequestLog:
    """Lines of JSON in a file that begins anew when it is full; the old ones are kept for a while."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._handler = RotatingFileHandler(file, maxBytes=BYTES, backupCount=KEPT, encoding="utf-8")

    def note(self, champion: Champion, form: str, seconds: float, body: bytes, answer: Any) -> None:
        """Write down an answer, an image by its sha256; so is what was asked, as it may be private."""
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "model": champion.name,
            "version": champion.version,
            "run_id": champion.run_id,
            "form": form,
            "milliseconds": round(seconds * 1000, 2),
            "input_sha256": _sha256(body),
            "input_bytes": len(body),
            "answer": answer,
        }
        text = json.dumps(line, ensure_ascii=False, default=_sha256)
        self._handler.handle(logging.LogRecord("request_log", logging.INFO, "", 0, text, None, None))

    def close(self) -> None:
        """Close the file."""
        self._handler.close()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
