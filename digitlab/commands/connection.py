"""How JupyterLab's server talks to a page: at once. It stands on jupyter-server.

By default the system holds a short message back until the one before it is confirmed (J. Nagle, RFC 896, 1984), and
the other side confirms up to 40 ms late, on Windows 200. A pad sends two short messages for each move of the pen, the
line and the answer, so nearly every answer came that much late.
"""

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """The connection of a page with a kernel, without waiting to send."""

    def connect(self):
        """Connect as usual, having told the system to send at once."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()
