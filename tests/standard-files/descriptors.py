# Flags of open, offsets, and what a descriptor allows.
import fcntl


def opened(path, flags, action):
    fd = os.open(path, flags, 0o666)
    try:
        return action(fd)
    finally:
        os.close(fd)


put("f", b"hello")
os.mkdir("d")
os.symlink("f", "link")
os.symlink("nowhere", "dangling")
os.symlink("loop", "loop")
show("missing folder", lambda: os.open("none/x", os.O_RDONLY))
show("file as folder", lambda: os.open("f/x", os.O_RDONLY))
show("folder for writing", lambda: os.open("d", os.O_WRONLY))
show("O_EXCL on a file", lambda: os.open("f", os.O_CREAT | os.O_EXCL))
show("O_EXCL on a link", lambda: os.open("link", os.O_CREAT | os.O_EXCL))
show("O_EXCL on a dangling link", lambda: os.open("dangling", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
show("O_EXCL", lambda: opened("new", os.O_CREAT | os.O_EXCL | os.O_RDWR, lambda fd: os.write(fd, b"x")))
show("O_CREAT through a dangling link", lambda: (opened("dangling", os.O_CREAT | os.O_WRONLY, os.fsync), os.path.exists("nowhere")))
show("O_NOFOLLOW", lambda: os.open("link", os.O_RDONLY | os.O_NOFOLLOW))
show("O_DIRECTORY on a file", lambda: os.open("f", os.O_DIRECTORY))
show("a loop", lambda: os.stat("loop"))
show("O_TRUNC", lambda: (opened("new", os.O_TRUNC | os.O_WRONLY, lambda fd: os.fstat(fd).st_size)))
show(
    "O_APPEND",
    lambda: (
        opened("f", os.O_WRONLY | os.O_APPEND, lambda fd: (os.lseek(fd, 0, 0), os.write(fd, b"AB"), os.lseek(fd, 0, 1))),
        get("f"),
    ),
)
show("append twice", lambda: ([opened("f", os.O_WRONLY | os.O_APPEND, lambda fd: os.write(fd, b"!")) for _ in "ab"], get("f")))
show("reading what is for writing", lambda: opened("f", os.O_WRONLY, lambda fd: os.read(fd, 1)))
show("writing what is for reading", lambda: opened("f", os.O_RDONLY, lambda fd: os.write(fd, b"x")))
show("truncating what is for reading", lambda: opened("f", os.O_RDONLY, lambda fd: os.ftruncate(fd, 1)))
show("reading a folder", lambda: opened("d", os.O_RDONLY, lambda fd: os.read(fd, 1)))
show("seeking before the start", lambda: opened("f", os.O_RDONLY, lambda fd: os.lseek(fd, -1, 0)))
show("pread and pwrite", lambda: opened("f", os.O_RDWR, lambda fd: (os.pwrite(fd, b"J", 0), os.pread(fd, 3, 0), os.lseek(fd, 0, 1))))
show("growing", lambda: (os.truncate("f", 12), get("f")))
show("shrinking", lambda: (os.truncate("f", 2), get("f"), os.truncate("f", 4), get("f")))
show("a negative size", lambda: os.truncate("f", -1))
show("no descriptor", lambda: os.fstat(999))


def shared_position():
    one = os.open("f", os.O_RDWR)
    two = os.dup(one)
    os.lseek(one, 1, 0)
    other = os.open("f", os.O_RDONLY)
    ends = os.lseek(two, 0, 1), os.lseek(other, 0, 1)
    for fd in (one, two, other):
        os.close(fd)
    return ends


show("dup shares the position, open does not", shared_position)


def nameless():
    put("gone", b"still here")
    fd = os.open("gone", os.O_RDWR)
    os.unlink("gone")
    ends = os.fstat(fd).st_nlink, os.read(fd, 20), os.write(fd, b"!"), os.path.exists("gone")
    os.close(fd)
    return ends


show("a file without a name", nameless)


def sparse():
    with open("sparse", "wb") as file:
        file.truncate(10**12)
        empty = os.stat("sparse").st_blocks
        file.seek(10**11)
        file.write(b"x")
    with open("sparse", "rb") as file:
        file.seek(10**11 - 2)
        return os.path.getsize("sparse"), empty, file.read(4), os.stat("sparse").st_blocks < 1000


show("a sparse file", sparse)
show("a pipe", lambda: (lambda r, w: (os.write(w, b"abc"), os.read(r, 10), os.close(w), os.read(r, 1), os.close(r)))(*os.pipe()))
show("a pipe without a reader", lambda: (lambda r, w: (os.close(r), os.write(w, b"abc")))(*os.pipe()))


def changed_append():
    fd = os.open("log", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    os.write(fd, b"0123456789")
    at = [os.pwrite(fd, b"AB", 0), os.lseek(fd, 0, 0), os.write(fd, b""), os.lseek(fd, 0, 1)]
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    fcntl.fcntl(fd, fcntl.F_SETFL, flags & ~os.O_APPEND)
    at += [os.write(fd, b"XY"), os.pwrite(fd, b"Z", 4), os.lseek(fd, 0, 1), os.fstat(fd).st_size]
    fcntl.fcntl(fd, fcntl.F_SETFL, flags)
    at += [os.pwrite(fd, b"!", 0), os.write(fd, b"?"), os.lseek(fd, 0, 1), os.fstat(fd).st_size]
    os.close(fd)
    return at, get("log")


show("O_APPEND cleared and set", changed_append)


def only_a_path():
    put("named", b"12345")
    fd = os.open("named", os.O_PATH)
    put("named", b"1234567890")
    sizes = os.fstat(fd).st_size, os.fstat(fd).st_size
    os.close(fd)
    return sizes


show("O_PATH shows what is there now", only_a_path)


def kept_folder():
    os.mkdir("kept")
    fd = os.open("kept", os.O_RDONLY)
    os.utime("kept", (100, 100))
    try:
        os.mkdir("kept")
    except FileExistsError:
        pass
    os.listdir(".")
    os.utime("kept", (300, 300))
    ends = [os.fstat(fd).st_mtime, os.fstat(fd).st_mtime]
    os.rmdir("kept")
    os.fchmod(fd, 0o711)
    os.utime(fd, (500, 500))
    ends += [oct(os.fstat(fd).st_mode), os.fstat(fd).st_mtime, os.fstat(fd).st_nlink]
    os.close(fd)
    return ends


show("a folder that is open", kept_folder)
