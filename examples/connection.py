"""The parser in an asyncio protocol: a client and a server on loopback."""

from __future__ import annotations

import asyncio

from xmppfast import Stanza, StreamEnd, StreamError, StreamParser, StreamStart, escape

NAMESPACES = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"


class Echo(asyncio.Protocol):
    """A server of sorts: sends every message back to where it came from."""

    def __init__(self) -> None:
        self.parser = StreamParser()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Feed the bytes, answer the events."""
        try:
            for event in self.parser.feed(data):
                match event:
                    case StreamStart():
                        name = escape(event.to or "")
                        header = f"<stream:stream {NAMESPACES} from='{name}' version='1.0'>"
                        self.transport.write(header.encode())
                    case Stanza():
                        self.transport.write(event.forward(to=event.from_, from_=event.to))
                    case StreamEnd():
                        self.transport.write(b"</stream:stream>")
                        self.transport.close()
        except StreamError as error:
            condition = f"<{error.condition.value} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
            self.transport.write(
                f"<stream:error>{condition}</stream:error></stream:stream>".encode()
            )
            self.transport.close()

    def eof_received(self) -> None:
        """The peer sent its last byte."""
        try:
            self.parser.close()
        except StreamError as error:
            print("cut off:", error)


async def main() -> None:
    """Say something to the server and read what comes back."""
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"<stream:stream {NAMESPACES} to='localhost' version='1.0'>".encode())
        writer.write(b"<message from='me@localhost' to='echo@localhost'><body>hi</body></message>")
        writer.write(b"</stream:stream>")
        parser = StreamParser()
        while data := await reader.read(4096):
            for event in parser.feed(data):
                print(type(event).__name__, event.raw.decode())
        parser.close()
        writer.close()
        await writer.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
