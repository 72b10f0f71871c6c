"""Iterators of the host's."""

from sandboa import _host, _host_loop
from sandboa._host_things import Unique


class Stream(Unique):
    """An iterator of the host's: for `for` and for `async for`. In a running event loop it begins when its first item is asked for."""

    __slots__ = ("_host_token", "_call", "_asked", "__weakref__")

    def __init__(self, token):
        self._host_token = token
        self._call = None
        self._asked = False

    @classmethod
    def of_call(cls, call):
        stream = cls(None)
        stream._call = call
        if _host_loop.running_loop() is None:
            stream._start()
        return stream

    @property
    def _host_number(self):
        if self._call is not None:
            self._start()
        return None if self._host_token is None else self._host_token.number

    def _start(self):
        call, self._call = self._call, None
        self._host_token = _host.ask(_host.CALL, *call)._host_token

    async def _start_later(self):
        call, self._call = self._call, None
        self._host_token = (await _host_loop.call(_host.CALL, *call))._host_token

    def __iter__(self):
        return self

    def __next__(self):
        if self._call is not None:
            self._start()
        if self._host_token is None:
            raise StopIteration
        try:
            value = _host.finish(_host.send(_host.NEXT, self._host_token.number))
        except Exception:
            self.close()
            raise
        if value is _host.STOP:
            self._end()
            raise StopIteration
        return value

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self._asked:
            raise RuntimeError("the next item of this stream is being waited for already")
        self._asked = True
        try:
            if self._call is not None:
                await self._start_later()
            if self._host_token is None:
                raise StopAsyncIteration
            value = await _host_loop.call(_host.NEXT, self._host_token.number, None)
        except Exception:
            self.close()
            raise
        finally:
            self._asked = False
        if value is _host.STOP:
            self._end()
            raise StopAsyncIteration
        return value

    def __await__(self):
        if self._call is not None:
            yield from self._start_later().__await__()
        return self

    def close(self):
        """Tells the host that nobody goes on with it."""
        self._call = self._host_token = None

    async def aclose(self):
        self.close()

    def _end(self):
        """The host knows."""
        if self._host_token is not None:
            self._host_token.forget()
        self._host_token = None

    def __repr__(self):
        return "<host stream>"
