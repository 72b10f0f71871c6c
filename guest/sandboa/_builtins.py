"""The runner's own builtins: a program may replace and remove those that all others share, and it must still be told how it ended."""

__builtins__ = dict(__builtins__)
