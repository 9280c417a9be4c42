"""The room that the page's files may take."""

from pathlib import Path

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class Room:
    """ASGI middleware: while the page's folder holds more than so many bytes, nothing that adds to it.

    Predictions 503 to what is posted below a path; looking goes on, and Gradio removes what is old.
    """

    def __init__(self, app: ASGIApp, path: str, folder: Path, most: int) -> None:
        self.app, self.path, self.folder, self.most = app, path, folder, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        adds = scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith(self.path)
        if not adds or taken(self.folder) <= self.most:
            await self.app(scope, receive, send)
            return
        sentence = f"the page's files take more than {self.most:,} bytes; try again in an hour"
        await JSONResponse({"error": sentence}, 503)(scope, receive, send)


def taken(folder: Path) -> int:
    """Bytes of all files below a folder; one that goes meanwhile counts nothing."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:
            continue
    return total
