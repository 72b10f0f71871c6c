# sqlite3 with each kind of journal: what is there during a transaction, who is locked out, what a rollback leaves.
import fcntl
import sqlite3


def files(name):
    return sorted(found for found in os.listdir(".") if found.startswith(name))


def journaled(mode):
    name = mode + ".db"
    one = sqlite3.connect(name, isolation_level=None)
    yield one.execute("pragma journal_mode=" + mode).fetchone()
    one.execute("create table t (x)")
    one.execute("begin")
    one.execute("insert into t values (1)")
    yield files(mode)
    two = sqlite3.connect(name, isolation_level=None, timeout=0)
    try:
        two.execute("insert into t values (2)")
        yield "both wrote"
    except sqlite3.OperationalError as error:
        yield str(error)
    yield two.execute("select count(*) from t").fetchone() if mode == "wal" else None
    one.execute("commit")
    two.execute("insert into t values (3)")
    one.execute("begin immediate")
    one.executemany("insert into t values (?)", [("x" * 1000,)] * 500)
    one.execute("rollback") if mode != "off" else one.execute("commit")
    yield one.execute("select count(*) from t").fetchone(), one.execute("pragma integrity_check").fetchone()
    one.execute("vacuum")
    two.close()
    one.close()
    yield files(mode)


for mode in ("delete", "truncate", "persist", "memory", "wal", "off"):
    show(mode, lambda: list(journaled(mode)))


def left_behind():
    """A transaction that was never committed: the next connection rolls it back."""
    one = sqlite3.connect("left.db", isolation_level=None)
    one.execute("pragma cache_size=1")
    one.execute("create table t (x)")
    one.execute("begin")
    one.executemany("insert into t values (?)", [("x" * 1000,)] * 500)
    shutil.copy("left.db", "copy.db")
    shutil.copy("left.db-journal", "copy.db-journal")
    one.close()
    two = sqlite3.connect("copy.db")
    ends = two.execute("select count(*) from t").fetchone(), two.execute("pragma integrity_check").fetchone()
    two.close()
    return ends, files("copy")


show("a hot journal", left_behind)
show("backup", lambda: (lambda a, b: (a.backup(b), b.execute("select count(*) from t").fetchone()))(sqlite3.connect("wal.db"), sqlite3.connect("b.db")))
show("iterdump", lambda: len(list(sqlite3.connect("b.db").iterdump())))
show("a database for reading", lambda: sqlite3.connect("file:b.db?mode=ro", uri=True).execute("create table u (x)"))
show("no database", lambda: (put("no.db", b"x" * 4096), sqlite3.connect("no.db").execute("select * from t")))


def locked():
    put("l")
    one, two = os.open("l", os.O_RDWR), os.open("l", os.O_RDWR)
    fcntl.lockf(one, fcntl.LOCK_EX)
    fcntl.lockf(two, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.lockf(one, fcntl.LOCK_UN)
    os.close(one)
    os.close(two)
    return "a process does not lock itself out"


show("lockf", locked)
show("lockf of what is for reading", lambda: fcntl.lockf(os.open("l", os.O_RDONLY), fcntl.LOCK_EX))
