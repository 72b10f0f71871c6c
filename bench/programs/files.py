"""Times of what programs do with files, in milliseconds, in a folder that is given: the same text for every engine."""

import os
import time

MIB = bytes(range(256)) * 4096
SMALL = b"x" * 100


def write(path, count):
    with open(path, "wb") as file:
        for _ in range(count):
            file.write(MIB)


def read(path, count):
    with open(path, "rb") as file:
        total = 0
        while chunk := file.read(1 << 20):
            total += len(chunk)
    assert total == count << 20, total


def names(root, count):
    return [f"{root}/tree/{n % 100}/{n}" for n in range(count)]


def write_small(root, count):
    for n in range(min(count, 100)):
        os.makedirs(f"{root}/tree/{n}")
    for path in names(root, count):
        with open(path, "wb") as file:
            file.write(SMALL)


def read_small(root, count):
    for path in names(root, count):
        with open(path, "rb") as file:
            assert file.read() == SMALL


def walk(root, count):
    found = sum(len(files) for _, _, files in os.walk(f"{root}/tree"))
    assert found == count, found


def remove(root, count):
    for path in names(root, count):
        os.unlink(path)
    for n in range(min(count, 100)):
        os.rmdir(f"{root}/tree/{n}")
    os.rmdir(f"{root}/tree")
    for name in ("small", "large"):
        os.unlink(f"{root}/{name}")


def measure(root, writes, large, small):
    """`writes`: whether the folder may be changed; otherwise it holds already what the writes of another one made."""
    times = {}

    def timed(name, step, *args):
        start = time.perf_counter()
        step(*args)
        times[name] = (time.perf_counter() - start) * 1000

    if writes:
        timed("write 1 MiB", write, f"{root}/small", 1)
        timed(f"write {large} MiB", write, f"{root}/large", large)
        timed(f"write {small} small files", write_small, root, small)
    timed("read 1 MiB", read, f"{root}/small", 1)
    timed(f"read {large} MiB", read, f"{root}/large", large)
    timed(f"read {small} small files", read_small, root, small)
    timed(f"walk {small} files", walk, root, small)
    if writes:
        timed(f"remove {small} small files", remove, root, small)
    return times
