"""HEAD is answered wherever GET is, as HTTP wants it: the same head, and no body."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


def answering_head(app: ASGIApp) -> ASGIApp:
    """An ASGI application around one that knows GET alone. The answer ends with its head, so no stream is begun."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b""})

        await app({**scope, "method": "GET"}, receive, send_head)

    return answer
