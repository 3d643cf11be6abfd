"""The package h2 on a socket: one connection at a time, and another one when that has ended."""

import asyncio
import ssl

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
import hpack

ENOUGH = 1 << 16


class PlainEncoder(hpack.Encoder):
    """Says everything letter by letter."""

    def encode(self, headers, huffman=True):
        return super().encode(headers, huffman=False)


class Stream:
    def __init__(self, on_chunk):
        self.on_chunk = on_chunk
        self.header = {}
        self.over = asyncio.get_running_loop().create_future()


class Connection:
    def __init__(self, reader, writer, arguments):
        self._reader = reader
        self._writer = writer
        self._streams = {}
        self._padding = arguments.padding
        self.is_over = False
        config = h2.config.H2Configuration(header_encoding="utf-8", validate_outbound_headers=False)
        self._state = h2.connection.H2Connection(config)
        if arguments.plain:
            self._state.encoder = PlainEncoder()
        codes = h2.settings.SettingCodes
        said = {codes.ENABLE_PUSH: 0}
        if arguments.window is not None:
            said[codes.INITIAL_WINDOW_SIZE] = arguments.window
        if arguments.decoder_table is not None:
            said[codes.HEADER_TABLE_SIZE] = arguments.decoder_table
            # It refuses an encoder that does not keep to it.
            self._state.decoder.max_allowed_table_size = arguments.decoder_table
        self._state.local_settings = h2.settings.Settings(client=True, initial_values=said)
        self._encoder_table = arguments.encoder_table
        self._state.initiate_connection()
        self._flush()
        self._reading = asyncio.create_task(self._read())

    def _flush(self):
        self._writer.write(self._state.data_to_send())

    async def call(self, headers, body, on_chunk):
        if self._encoder_table is not None:
            self._state.encoder.header_table_size = self._encoder_table
            self._encoder_table = None
        number = self._state.get_next_available_stream_id()
        stream = self._streams[number] = Stream(on_chunk)
        try:
            self._state.send_headers(number, headers)
            self._state.send_data(number, body, end_stream=True, pad_length=self._padding or None)
            self._flush()
            await stream.over
            return stream.header
        finally:
            del self._streams[number]
            if stream.over.cancelled() or not stream.over.done() or stream.over.exception() is not None:
                self._reset(number)

    def _reset(self, number):
        if self.is_over:
            return
        try:
            self._state.reset_stream(number, h2.errors.ErrorCodes.CANCEL)
        except h2.exceptions.StreamClosedError:
            return
        self._flush()

    async def _read(self):
        error = ConnectionError("the connection has ended")
        try:
            while chunk := await self._reader.read(ENOUGH):
                for event in self._state.receive_data(chunk):
                    self._take(event)
                self._flush()
        except Exception as failure:
            error = failure
        self.is_over = True
        for stream in self._streams.values():
            if not stream.over.done():
                stream.over.set_exception(error)
        self._writer.close()

    def _take(self, event):
        if isinstance(event, h2.events.ConnectionTerminated):
            # No other call goes over it.
            self.is_over = True
        if isinstance(event, h2.events.DataReceived):
            self._state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        stream = self._streams.get(getattr(event, "stream_id", None))
        if stream is None or stream.over.done():
            return
        match event:
            case h2.events.ResponseReceived() | h2.events.TrailersReceived():
                stream.header.update(event.headers)
            case h2.events.DataReceived():
                try:
                    stream.on_chunk(event.data)
                except Exception as enough:
                    stream.over.set_exception(enough)
            case h2.events.StreamEnded():
                stream.over.set_result(None)
            case h2.events.StreamReset():
                stream.over.set_exception(ConnectionError(f"reset with {event.error_code}"))


class OverH2:
    content_type = "application/grpc"

    def __init__(self, arguments):
        self._arguments = arguments
        self._connection = None
        self._opening = asyncio.Lock()

    async def call(self, path, content_type, body, on_chunk):
        connection = await self._open()
        headers = [
            (":method", "POST"),
            (":scheme", "https" if self._arguments.ca else "http"),
            (":path", path),
            (":authority", self._arguments.authority or self._arguments.server),
            ("content-type", content_type),
            ("te", "trailers"),
        ]
        header = await connection.call(headers, body, on_chunk)
        return int(header.pop(":status")), header

    async def _open(self):
        async with self._opening:
            if self._connection is None or self._connection.is_over:
                host, port = self._arguments.server.rsplit(":", 1)
                reader, writer = await asyncio.open_connection(host, int(port), ssl=self._trust())
                self._connection = Connection(reader, writer, self._arguments)
            return self._connection

    def _trust(self):
        if not self._arguments.ca:
            return None
        context = ssl.create_default_context(cafile=self._arguments.ca)
        context.set_alpn_protocols(["h2"])
        return context
