"""What a sandboxed program may know about its own box."""

import os as _os
from collections import namedtuple as _namedtuple

__all__ = ["Budget", "usage"]

_REPORT = "/dev/sandboa"
_REPORT_BYTES = 4096


class Budget(_namedtuple("Budget", "used limit")):
    """How much of something is used, and the most that may be; None where it is not counted, or has no limit."""

    __slots__ = ()

    @property
    def left(self):
        """What is left, never less than 0; None where that is not known."""
        return None if self.used is None or self.limit is None else max(0, self.limit - self.used)


def usage():
    """A dict of what this sandbox uses: name -> Budget. It tells; nothing that is written to it changes anything.

    memory, host_memory and output are in bytes; wall and cpu in seconds of this run (with a clock that stands still their
    use is not told); fuel in units; open_files, files (in scratch places) and calls (answers of the host) are counts.
    """
    import json

    descriptor = _os.open(_REPORT, _os.O_RDONLY)
    try:
        report = _os.read(descriptor, _REPORT_BYTES)
    finally:
        _os.close(descriptor)
    return {name: Budget(*figures) for name, figures in json.loads(report).items()}
