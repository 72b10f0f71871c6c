# SQLite in memory: inserts, an index, joins, aggregates, a Python callback.
import sqlite3

N = 6_000


def kernel(n):
    db = sqlite3.connect(":memory:")
    db.execute("create table item (id integer primary key, kind integer, price integer, name text)")
    db.execute("create table kind (id integer primary key, label text)")
    db.executemany("insert into kind values (?, ?)", [(i, "kind %d" % i) for i in range(20)])
    db.executemany("insert into item values (?, ?, ?, ?)", [(i, i % 20, i * 37 % 1009, "item %d" % i) for i in range(n)])
    db.execute("create index by_kind on item (kind, price)")
    db.create_function("twist", 1, lambda value: value * 3 % 101)
    total = 0
    for i in range(60):
        rows = db.execute("select label, count(*), sum(price) from item join kind on kind.id = item.kind where price > ? group by label order by label", (i * 10,)).fetchall()
        total += sum(row[2] for row in rows) + len(rows)
    total += db.execute("select sum(twist(price)) from item").fetchone()[0]
    for i in range(0, n, 5):
        total += len(db.execute("select name from item where id = ?", (i,)).fetchone()[0])
    db.close()
    return total
