"""A connection between JupyterLab's server and a page that sends every message at once.

By default the system holds a short message back until the previous one is confirmed (J. Nagle, RFC 896, 1984). The
other side confirms up to 40 ms late, on Windows up to 200 ms. While one draws, a pad's
pen sends a short message every 50 ms, so nearly every answer would be that late.
"""

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """The connection between a page and a kernel, which sends every message at once."""

    def connect(self):
        """Turn off the delay, then connect as usual."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()
