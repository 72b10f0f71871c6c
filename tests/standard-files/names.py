# Making, moving and removing names, links, folders as descriptors, modes and times.
import stat

put("f", b"hello")
os.mkdir("d")
put("d/x")
os.mkdir("empty")
show("a slash after a file", lambda: os.stat("f/"))
show("mkdir with a slash", lambda: os.mkdir("made/"))
show("mkdir over a file", lambda: os.mkdir("f"))
show("makedirs", lambda: (os.makedirs("a/b/c"), os.makedirs("a/b/c", exist_ok=True), tree("a")))
show("rmdir of what is not empty", lambda: os.rmdir("d"))
show("rmdir of a file", lambda: os.rmdir("f"))
show("rmdir of .", lambda: os.rmdir("."))
show("unlink of a folder", lambda: os.unlink("d"))
show("a folder into itself", lambda: os.rename("d", "d/sub"))
show("a folder over a full one", lambda: os.rename("empty", "d"))
show("a file over a folder", lambda: os.rename("f", "empty"))
show("a folder over a file", lambda: os.rename("empty", "f"))
show("a folder over an empty one", lambda: (os.mkdir("e2"), os.rename("d", "e2"), os.listdir("e2")))
show("a file over a file", lambda: (put("g", b"new"), os.replace("g", "f"), get("f"), os.path.exists("g")))
show("a name onto itself", lambda: os.rename("f", "f"))
show("what is not there", lambda: os.rename("none", "f"))
show("the working folder", lambda: os.rename(".", "other"))
show("a file to a name with a slash", lambda: os.rename("f", "other/"))
show("a folder to a name with a slash", lambda: (os.rename("e2", "e3/"), os.path.isdir("e3")))


def replaced_while_open():
    put("old", b"old")
    put("new", b"new")
    with open("old", "rb") as file:
        os.replace("new", "old")
        return file.read(), get("old")


show("a file that is replaced while open", replaced_while_open)
show("a link with a slash", lambda: os.symlink("x", "sl/"))
show("readlink of a file", lambda: os.readlink("f"))
show("relative and dangling links", lambda: (os.symlink("../f", "e3/up"), os.symlink("no", "bad"), get("e3/up"), os.path.lexists("bad"), os.path.exists("bad")))
show("realpath", lambda: os.path.realpath("e3/up"))
show("a name of 255", lambda: (put("n" * 255), os.unlink("n" * 255)))
show("a name of 256", lambda: put("n" * 256))
show("a path of 6000", lambda: os.stat("a/" * 3000))
show("names of any bytes", lambda: (put(b"\xff\xfe"), os.listdir(b".")[0] is not None, b"\xff\xfe" in os.listdir(b"."), os.unlink(b"\xff\xfe")))
show("mode of a file and a folder", lambda: (oct(os.stat("f").st_mode), oct(os.stat("e3").st_mode), oct(os.lstat("bad").st_mode)))


def masked():
    old = os.umask(0o027)
    put("u")
    os.mkdir("ud")
    return oct(os.stat("u").st_mode), oct(os.stat("ud").st_mode), oct(os.umask(old))


show("umask", masked)
show("chmod", lambda: (os.chmod("f", 0o640), stat.filemode(os.stat("f").st_mode), os.chmod("ud", 0o1777), stat.filemode(os.stat("ud").st_mode)))
show("times", lambda: (os.utime("f", (1_000_000_000, 1_234_567_890.25)), os.stat("f").st_atime_ns, os.stat("f").st_mtime_ns))
show("times before 1970", lambda: (os.utime("f", (-1, -2.5)), os.stat("f").st_atime_ns, os.stat("f").st_mtime_ns))


def directory_descriptor():
    fd = os.open("e3", os.O_RDONLY)
    try:
        os.mkdir("q", dir_fd=fd)
        with open(os.open("q/in", os.O_CREAT | os.O_WRONLY, dir_fd=fd), "w") as file:
            file.write("in")
        os.rename("q/in", "moved", src_dir_fd=fd, dst_dir_fd=fd)
        os.symlink("moved", "e3/to")
        ends = sorted(os.listdir(fd)), os.readlink("to", dir_fd=fd), os.stat("moved", dir_fd=fd).st_size
        os.rename("e3", "e4")
        os.rmdir("q", dir_fd=fd)
        os.unlink("to", dir_fd=fd)
        return ends, sorted(os.listdir(fd)), os.path.exists("e4/q")
    finally:
        os.close(fd)


show("a folder as a descriptor", directory_descriptor)
show("a folder that is gone", lambda: (os.mkdir("gone"), os.chdir("gone"), os.rmdir(base + "/gone"), os.getcwd()))
os.chdir(base)
show("links count", lambda: (os.stat("f").st_nlink, os.stat("a").st_nlink, os.stat("a/b/c").st_nlink))
show("all of it", tree)


# A slash after a link makes it be followed, but not where the name itself is to be made, moved or removed.
os.mkdir("folder")
put("folder/inside", b"data")
os.symlink("folder", "to-folder")
os.symlink("nothing", "to-nothing")
os.mkdir("other")
show("rmdir of a link with a slash", lambda: os.rmdir("to-folder/"))
show("unlink of a link with a slash", lambda: os.unlink("to-folder/"))
show("unlink of a folder with a slash", lambda: os.unlink("folder/"))
show("rename of a link with a slash", lambda: os.rename("to-folder/", "stolen"))
show("rename to a link with a slash", lambda: os.rename("other", "to-folder/"))
show("rename to a dangling link with a slash", lambda: os.rename("other", "to-nothing/"))
show("mkdir over a link with a slash", lambda: os.mkdir("to-folder/"))
show("mkdir over a dangling link with a slash", lambda: os.mkdir("to-nothing/"))
show("symlink over a link with a slash", lambda: os.symlink("x", "to-nothing/"))
show("making a file through one", lambda: os.open("to-nothing/", os.O_CREAT | os.O_WRONLY))
show("lstat of a link with a slash", lambda: stat.S_ISDIR(os.lstat("to-folder/").st_mode))
show("readlink with a slash", lambda: os.readlink("to-folder/"))
show("listing one", lambda: os.listdir("to-folder/"))
show("a folder over a file in it", lambda: os.rename("folder", "folder/inside"))
show("a file over its folder", lambda: os.rename("folder/inside", "folder"))
show("a folder below a file in it", lambda: os.rename("folder", "folder/inside/x"))
show("what is left", tree)
