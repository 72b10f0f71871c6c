# Comes before each program of this folder, in the box and natively: a folder of its own, and a way to print what an action gives or
# which error it ends with. Error numbers differ between platforms, their names do not.
import errno
import os
import shutil
import tempfile

base = os.path.realpath(tempfile.mkdtemp())
os.chdir(base)
os.umask(0o022)


def show(label, action):
    try:
        result = action()
    except OSError as error:
        result = type(error).__name__ + " " + errno.errorcode.get(error.errno, "?")
    except Exception as error:
        result = type(error).__name__ + " " + str(error)
    print(label + ":", repr(result).replace(base, "BASE"))


def put(path, content=b""):
    with open(path, "wb") as file:
        file.write(content)


def get(path):
    with open(path, "rb") as file:
        return file.read()


def tree(top="."):
    found = []
    for folder, folders, files in os.walk(top):
        folders.sort()
        found += [os.path.join(folder, name) for name in folders + files]
    return sorted(found)
