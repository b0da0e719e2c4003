"""A relay on this machine between a browser and a server, which plays a distant or a broken network."""

import asyncio
import contextlib
import threading


class Relay:
    """Passes all connections on to a port of this machine.

    Parameters
    ----------
    port : int
        The server's port.
    delay : float, optional
        How long each packet is held back, in seconds, in each direction.

    Attributes
    ----------
    port : int
        The relay's own port, for the browser.
    """

    def __init__(self, port, delay=0.0):
        self.delay = delay
        self._target = port
        self._open, self._is_cut = set(), False
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._server = self._run(asyncio.start_server(self._connect, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self):
        """Close all connections, and refuse new ones until `mend` is called."""
        self._is_cut = True
        self._loop.call_soon_threadsafe(self._close_all)

    def mend(self):
        """Accept connections again."""
        self._is_cut = False

    def close(self):
        """Stop the relay."""
        self.cut()
        self._loop.call_soon_threadsafe(self._server.close)

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def _close_all(self):
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _connect(self, reader, writer):
        if self._is_cut:
            writer.transport.abort()
            return
        target_reader, target_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._open |= {writer, target_writer}
        await asyncio.gather(self._pass_on(reader, target_writer), self._pass_on(target_reader, writer))

    async def _pass_on(self, reader, writer):
        packets = asyncio.Queue()

        async def write():
            while (packet := await packets.get()) is not None:
                due, data = packet
                await asyncio.sleep(due - self._loop.time())
                writer.write(data)
            writer.close()

        writing = asyncio.create_task(write())
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                packets.put_nowait((self._loop.time() + self.delay, data))
        packets.put_nowait(None)
        with contextlib.suppress(OSError):
            await writing
        self._open.discard(writer)
