# Runs one module of CPython's tests inside of the box, and gives what became of each test as the value of its last line. Set by the
# host: `name`, the module; `without`, tests that are left out because they would take the interpreter with them.
import gc
import importlib.util
import os
import sys
import tempfile
import unittest

sys.path.insert(0, "/suite")
# What the box's library lacks comes last, so that all of the box's own is tested.
lacking = "/suite/lacking"
sys.path.append(lacking)


class Lacking:
    """The pure Python form of zoneinfo, whose package is the box's own."""

    @staticmethod
    def find_spec(fullname, path=None, target=None):
        if fullname != "zoneinfo._zoneinfo":
            return None
        return importlib.util.spec_from_file_location(fullname, lacking + "/zoneinfo/_zoneinfo.py")


sys.meta_path.append(Lacking)
os.environ["TMPDIR"] = "/tmp"
os.environ["HOME"] = "/tmp"
os.mkdir("/tmp/work")
os.chdir("/tmp/work")

import test.support

test.support.use_resources = ["largefile", "decimal", "tzdata"]
test.support.verbose = False
# The tests of asyncio are all thought to need sockets; those of the modules listed do not.
if "async" in name:
    test.support.has_socket_support = True
# As regrtest does: tests of what is collected need a calm start.
gc.collect()


class Record(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.ends = {}

    def startTest(self, test):
        super().startTest(test)
        # A test that takes the interpreter with it is the last one told here.
        print("start", test.id(), file=sys.__stderr__, flush=True)

    def end(self, test, kind, text=""):
        # A failure of a class or a module comes with a holder of its text instead of a test.
        key = test.id()
        if self.ends.get(key, ("passed",))[0] != "failed":
            self.ends[key] = (kind, text)

    def addSuccess(self, test):
        self.end(test, "passed")

    def addSkip(self, test, reason):
        self.end(test, "skipped", reason)

    def addExpectedFailure(self, test, error):
        self.end(test, "passed")

    def addUnexpectedSuccess(self, test):
        self.end(test, "failed", "unexpected success")

    def addError(self, test, error):
        self.end(test, "failed", self._exc_info_to_string(error, test))

    addFailure = addError

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.end(test, "failed", str(subtest) + "\n" + self._exc_info_to_string(error, test))


def without_some(suite):
    kept = unittest.TestSuite()
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            kept.addTest(without_some(item))
        elif item.id() not in without:
            kept.addTest(item)
    return kept


def run():
    record = Record()
    try:
        suite = unittest.defaultTestLoader.loadTestsFromName("test." + name)
    except unittest.SkipTest as skip:
        return {name: ("skipped", str(skip))}
    without_some(suite).run(record)
    return record.ends


run()
