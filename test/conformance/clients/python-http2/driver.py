"""Drives clients of HTTP/2 in Python over JSON lines: commands on stdin, answers and events on stdout. `httpx` is that package as it
is, and asks in gRPC-Web, as it shows no trailers; `h2` is the one below it, on a socket, and can be told how to say what it says."""

import argparse
import asyncio
import json
import ssl
import sys
from importlib.metadata import version

import httpx

from over_h2 import OverH2

HEALTH = "/grpc.health.v1.Health"
PREFIX = 5
TRAILERS = 0x80


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("client", choices=["httpx", "h2"])
    parser.add_argument("--server", required=True, metavar="HOST:PORT")
    parser.add_argument("--tmp", help="not needed: nothing is kept")
    parser.add_argument("--ca", help="whom to trust; over TLS then")
    parser.add_argument("--authority", help="what :authority says, of h2 only")
    parser.add_argument("--plain", action="store_true", help="without Huffman's code, of h2 only")
    parser.add_argument("--encoder-table", type=int, help="bytes of the table for what is said, of h2 only")
    parser.add_argument("--decoder-table", type=int, help="and for what is heard")
    parser.add_argument("--window", type=int, help="bytes of a stream that may be on their way, of h2 only")
    parser.add_argument("--padding", type=int, default=0, help="bytes in each frame of data, of h2 only")
    return parser.parse_args()


def question(service):
    """A message of HealthCheckRequest behind its prefix."""
    message = b"\x0a" + bytes([len(service)]) + service.encode() if service else b""
    return b"\x00" + len(message).to_bytes(4, "big") + message


class Messages:
    """Cuts what comes into messages: the flags and the bytes of each."""

    def __init__(self):
        self._bytes = b""

    def add(self, chunk):
        self._bytes += chunk
        while len(self._bytes) >= PREFIX:
            end = PREFIX + int.from_bytes(self._bytes[1:PREFIX], "big")
            if len(self._bytes) < end:
                return
            flags, message = self._bytes[0], self._bytes[PREFIX:end]
            self._bytes = self._bytes[end:]
            yield flags, message


class OverHttpx:
    content_type = "application/grpc-web+proto"

    def __init__(self, arguments):
        scheme = "https" if arguments.ca else "http"
        self._base = f"{scheme}://{arguments.server}"
        verify = ssl.create_default_context(cafile=arguments.ca) if arguments.ca else True
        # All over one connection.
        limits = httpx.Limits(max_connections=1)
        self._client = httpx.AsyncClient(http1=False, http2=True, verify=verify, timeout=None, limits=limits)

    async def call(self, path, content_type, body, on_chunk):
        """The status and the header, once all has come; whoever listens may end it by raising."""
        # Otherwise a long list would come as a short one.
        headers = {"content-type": content_type, "accept-encoding": "identity"}
        async with self._client.stream("POST", self._base + path, headers=headers, content=body) as answer:
            if answer.http_version != "HTTP/2":
                raise RuntimeError(answer.http_version)
            async for chunk in answer.aiter_raw():
                on_chunk(chunk)
            return answer.status_code, dict(answer.headers)


class Enough(Exception):
    """Whoever listens has heard what there is to hear."""


class Driver:
    def __init__(self, client):
        self._client = client
        self._watches = {}

    async def grpc(self, method, service, on_status):
        """The code that the call ends with."""
        messages = Messages()
        told = {}

        def hear(chunk):
            for flags, message in messages.add(chunk):
                if flags & TRAILERS:
                    for line in message.decode().splitlines():
                        name, _, value = line.partition(":")
                        told[name.strip()] = value.strip()
                else:
                    on_status(message[1] if len(message) > 1 else 0)

        _, header = await self._client.call(f"{HEALTH}/{method}", self._client.content_type, question(service), hear)
        return int(told.get("grpc-status", header.get("grpc-status", -1)))

    async def check(self, service):
        statuses = []
        code = await self.grpc("Check", service, statuses.append)
        return {"code": code, "statuses": statuses}

    async def json(self, method, body):
        chunks = []
        status, _ = await self._client.call(f"{HEALTH}/{method}", "application/json", body.encode(), chunks.append)
        return {"status": status, "text": b"".join(chunks).decode()}

    async def cut(self):
        """A list that is broken off when its first bytes have come."""

        def hear(chunk):
            raise Enough()

        try:
            await self._client.call(f"{HEALTH}/List", "application/json", b"{}", hear)
        except Enough:
            return True
        raise RuntimeError("nothing has come")

    async def watch(self, name, service):
        def tell(status):
            emit(event="told", watch=name, status=status)

        try:
            emit(event="over", watch=name, code=await self.grpc("Watch", service, tell))
        except Exception as error:
            emit(event="over", watch=name, error=repr(error))

    async def perform(self, command):
        match command["op"]:
            case "check":
                return await self.check(command["service"])
            case "json":
                return await self.json(command["method"], command["body"])
            case "cut":
                return await self.cut()
            case "watch":
                name = command["watch"]
                self._watches[name] = asyncio.create_task(self.watch(name, command["service"]))
            case "cancel":
                task = self._watches.pop(command["watch"])
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            case op:
                raise RuntimeError(f"unknown op {op}")

    async def answer(self, command):
        try:
            emit(id=command["id"], ok=True, result=await self.perform(command))
        except Exception as error:
            emit(id=command["id"], ok=False, error=repr(error))


def emit(**line):
    print(json.dumps(line), flush=True)


async def main():
    arguments = parse_arguments()
    client = OverHttpx(arguments) if arguments.client == "httpx" else OverH2(arguments)
    driver = Driver(client)
    emit(event="ready", client=arguments.client, version=version(arguments.client))
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks = set()
    while line := await reader.readline():
        task = asyncio.create_task(driver.answer(json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.run(main())
