"""What every request passes first: who may ask, and how much may be brought along."""

import asyncio
import base64
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from evermodel.serving.limits import SOON, Limits

OPEN = ("/v2/health/live", "/v2/health/ready")
BARE = ("GET", "HEAD")  # requests that bring nothing along, such as those of a page that waits for news


class AccessMiddleware:
    """The token where one is set, and a body within the limits, read as a whole.

    Answers 401 without the token, 413 for a body that is too large, 408 for one that comes too slowly, and
    429 while too many requests are going on, or their bodies take too much memory.
    """

    def __init__(self, app: ASGIApp, limits: Limits, token: str | None) -> None:
        self.app, self.limits, self.token = app, limits, token
        self.requests = self.bytes = 0  # that bring something along and are not answered yet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with self._counted(scope["method"]) as body:
            try:
                self._require_token(scope["path"], Headers(scope=scope))
                if scope["method"] not in BARE and self.requests > self.limits.requests:
                    raise _busy(f"{self.limits.requests} requests are going on, which is the limit")
                there = await self._read_in_time(body, Headers(scope=scope), receive)
            except HTTPException as refusal:
                answer = JSONResponse({"error": refusal.detail}, refusal.status_code, refusal.headers)
                await answer(scope, receive, send)
                return
            if there:
                body[:] = [b"".join(body)]
                await self.app(scope, _again(body[0], receive), send)

    @contextmanager
    def _counted(self, method: str) -> Iterator[list[bytes]]:
        """The pieces of a body, none yet, which count with what comes until the request is answered."""
        body, count = list[bytes](), int(method not in BARE)
        self.requests += count
        try:
            yield body
        finally:
            self.requests -= count
            self.bytes -= sum(map(len, body))

    def _require_token(self, path: str, headers: Headers) -> None:
        if self.token is None or path in OPEN:
            return
        # Compared as bytes in constant time, so that nothing is learnt from how long a refusal takes.
        if not hmac.compare_digest(_given(headers.get("authorization", "")), self.token.encode()):
            raise HTTPException(
                401,
                "send the header Authorization: Bearer TOKEN, or the token as a password",
                headers={"WWW-Authenticate": 'Basic realm="Evermodel"'},
            )

    async def _read_in_time(self, body: list[bytes], headers: Headers, receive: Receive) -> bool:
        """Read a body; whether it came to its end, and the client did not leave."""
        try:
            return await asyncio.wait_for(self._read(body, headers, receive), self.limits.seconds)
        except TimeoutError:
            raise HTTPException(408, f"the body did not arrive within {self.limits.seconds:g} s") from None

    async def _read(self, body: list[bytes], headers: Headers, receive: Receive) -> bool:
        said = headers.get("content-length", "")
        self._require_room(0, int(said) if said.isdecimal() else 0)
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            came = message.get("body", b"")
            self._require_room(size, len(came))
            body.append(came)
            self.bytes += len(came)
            size, more = size + len(came), message.get("more_body", False)
        return True

    def _require_room(self, there: int, more: int) -> None:
        """Raise HTTPException: 413 if so many more bytes are too many for one body, 429 for all together."""
        if there + more > self.limits.body:
            raise HTTPException(413, f"the body has more than {self.limits.body:,} bytes; send less")
        if self.bytes + more > self.limits.bytes:
            raise _busy(f"the bodies of {self.requests} requests take all the memory that there is for them")


class QuotaMiddleware:
    """While the page's folder holds more than so many bytes, nothing that adds to it.

    Answers 503 to what is posted below a path; looking goes on, and Gradio removes what is old.
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


def _busy(why: str) -> HTTPException:
    return HTTPException(429, f"{why}; try again in a second", headers=SOON)


def _given(authorization: str) -> bytes:
    """The token of Bearer, or the password of Basic, for which a browser asks by itself; or nothing."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return given.encode()
    try:
        return base64.b64decode(given, validate=True).partition(b":")[2] if scheme.lower() == "basic" else b""
    except ValueError:  # of letters beyond ASCII too
        return b""


def _again(body: bytes, receive: Receive) -> Receive:
    """A body that was read, to be read once more."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
