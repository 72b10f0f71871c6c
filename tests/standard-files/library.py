# The library's own tools: tempfile, shutil, pathlib, glob, fileinput, filecmp.
import filecmp
import fileinput
import glob
import pathlib

os.makedirs("src/deep/deeper")
put("src/a.txt", b"a\n")
put("src/b.py", b"b\n")
put("src/deep/c.txt", b"c\n")
os.symlink("a.txt", "src/link")
os.symlink("missing", "src/broken")
show("copytree", lambda: (shutil.copytree("src", "copy", symlinks=True), tree("copy"), os.readlink("copy/link")))
show("copytree through a broken link", lambda: type(shutil.copytree("src", "copy2")))
show("copy2", lambda: (os.utime("src/a.txt", (5, 6)), shutil.copy2("src/a.txt", "a2"), os.stat("a2").st_mtime))
show("copy onto itself", lambda: shutil.copy("a2", "a2"))
show("move", lambda: (shutil.move("copy", "moved"), shutil.move("a2", "moved"), sorted(os.listdir("moved"))))
show("move into itself", lambda: shutil.move("moved", "moved/deep"))
show("rmtree", lambda: (shutil.rmtree("moved"), os.path.exists("moved")))
show("rmtree of a link", lambda: (os.symlink("src", "s"), shutil.rmtree("s")))
show("disk_usage", lambda: shutil.disk_usage(".").total > 0)
for kind in ("zip", "tar", "gztar", "xztar"):
    show("archive " + kind, lambda: (os.path.basename(shutil.make_archive("arc-" + kind, kind, "src/deep")), ))
    show("unpack " + kind, lambda: (shutil.unpack_archive(glob.glob("arc-" + kind + ".*")[0], "un-" + kind), tree("un-" + kind)))
show("glob", lambda: (sorted(glob.glob("src/*.txt")), sorted(glob.glob("src/**/*", recursive=True)), sorted(glob.glob("**/*.txt", root_dir="src", recursive=True))))
here = pathlib.Path("src")
show("pathlib", lambda: (sorted(map(str, here.rglob("*.txt"))), (here / "n").write_text("né"), (here / "n").read_bytes(), (here / "n").rename(here / "m").name, (here / "m").unlink(), (here / "m").exists()))
show("pathlib's errors", lambda: (here / "m").unlink())
show("pathlib, missing_ok", lambda: (here / "m").unlink(missing_ok=True))
show("pathlib touch", lambda: ((here / "t").touch(exist_ok=False), (here / "t").touch()))
show("pathlib touch again", lambda: (here / "t").touch(exist_ok=False))
show("pathlib resolve", lambda: ((here / "link").resolve(), (here / "broken").resolve(), (here / "..").resolve()))


def temporary():
    with tempfile.TemporaryDirectory(dir=base) as folder:
        fd, path = tempfile.mkstemp(dir=folder)
        mode = oct(os.fstat(fd).st_mode), oct(os.stat(folder).st_mode)
        os.close(fd)
        with tempfile.NamedTemporaryFile(dir=folder) as named, tempfile.TemporaryFile(dir=folder) as unnamed:
            unnamed.write(b"12")
            unnamed.seek(0)
            inside = len(os.listdir(folder)), os.path.exists(named.name), unnamed.read()
        after = len(os.listdir(folder))
    return mode, inside, after, os.path.exists(folder)


show("tempfile", temporary)


def spooled():
    with tempfile.SpooledTemporaryFile(max_size=10) as file:
        file.write(b"x" * 5)
        before = file._rolled
        file.write(b"x" * 10)
        file.seek(0)
        return before, file._rolled, len(file.read())


show("a spooled file", spooled)


def edited_in_place():
    put("lines", b"one\ntwo\n")
    with fileinput.input("lines", inplace=True, backup=".bak", encoding="utf-8") as lines:
        for line in lines:
            print(line.upper(), end="")
    return get("lines"), get("lines.bak")


show("fileinput in place", edited_in_place)
show("filecmp", lambda: (filecmp.cmp("lines", "lines.bak", shallow=False), filecmp.dircmp("src/deep", "un-zip").left_list))
