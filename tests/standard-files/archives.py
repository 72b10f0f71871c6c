# zipfile, tarfile, mailbox and mmap.
import io
import mailbox
import mmap
import tarfile
import zipfile

put("one", b"1" * 1000)
os.mkdir("d")
put("d/two", b"2" * 50_000)
os.symlink("one", "link")
os.utime("one", (1_000_000_000, 1_000_000_000))


def zipped(method):
    with zipfile.ZipFile("z", "w", method) as archive:
        archive.write("one")
        archive.write("d/two")
        archive.writestr("three", "3")
    with zipfile.ZipFile("z", "a") as archive:
        archive.writestr("four", "4")
    with zipfile.ZipFile("z") as archive:
        archive.extractall("out-z")
        return archive.testzip(), archive.namelist(), [info.file_size for info in archive.infolist()], tree("out-z")


for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
    show("zip by method " + str(method), lambda: zipped(method))
show("no zip", lambda: zipfile.ZipFile("one"))
show("a zip out of its folder", lambda: (zipfile.ZipFile("e", "w").writestr("../../up", "x"), ))


def tarred(mode):
    with tarfile.open("t", "w" + mode) as archive:
        for name in ("one", "d", "link"):
            archive.add(name)
    with tarfile.open("t") as archive:
        archive.extractall("out-t" + mode[1:], filter="data")
        names = archive.getnames()
    out = "out-t" + mode[1:]
    return names, tree(out), os.readlink(out + "/link"), os.stat(out + "/one").st_mtime, get(out + "/d/two") == get("d/two")


for mode in ("", ":gz", ":bz2", ":xz"):
    show("tar" + mode, lambda: tarred(mode))


def evil():
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../up"))
    data.seek(0)
    with tarfile.open(fileobj=data) as archive:
        archive.extractall("out-evil", filter="data")


show("a tar out of its folder", lambda: evil())


def boxed(kind, name):
    box = kind(name)
    box.lock()
    keys = [box.add("Subject: %d\n\nFrom me\n" % i) for i in range(3)]
    box.flush()
    box.discard(keys[1])
    box.flush()
    box.unlock()
    box.close()
    again = kind(name)
    found = sorted(message["subject"] for message in again)
    again.close()
    return len(keys), found


for kind in (mailbox.mbox, mailbox.Maildir, mailbox.MH, mailbox.Babyl, mailbox.MMDF):
    show(kind.__name__, lambda: boxed(kind, "box-" + kind.__name__))


def mapped():
    put("m", b"0123456789" * 10_000)
    with open("m", "r+b") as file:
        area = mmap.mmap(file.fileno(), 0)
        area[2:5] = b"XYZ"
        area.flush()
        flushed = get("m")[:8]
        found = area.find(b"9"), area[-3:], len(area), area.readline()[:3]
    area[0:2] = b"ab"
    area.close()
    return flushed, found, get("m")[:8]


def mapped_and_closed():
    put("m", b"0" * 10)
    put("other", b"precious!!")
    file = open("m", "r+b")
    area = mmap.mmap(file.fileno(), 0)
    file.close()
    with open("other", "r+b"):
        area[:2] = b"ab"
        area.close()
    return get("m"), get("other")


def mapped_copy():
    with open("m", "r+b") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as area:
        area[:] = b"z" * 10
        return area[:3], get("m")


def mapped_part():
    put("m", b"a" * mmap.ALLOCATIONGRANULARITY + b"tail")
    with open("m", "r+b") as file, mmap.mmap(file.fileno(), 4, offset=mmap.ALLOCATIONGRANULARITY) as area:
        area[0:1] = b"T"
        return area[:]


show("a mapping", mapped)
show("a mapping that outlives its file", mapped_and_closed)
show("a private mapping", mapped_copy)
show("a mapping of a part", lambda: (mapped_part(), get("m")[-4:]))
show("a mapping of nothing", lambda: (put("nothing"), mmap.mmap(os.open("nothing", os.O_RDWR), 0)))


def mapped_for_reading():
    with open("one", "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as area:
        area[0:1] = b"x"


show("a mapping for reading", mapped_for_reading)
