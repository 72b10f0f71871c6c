# The pickle module, both ways: containers, shared references, instances.
import pickle

N = 120


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y


def kernel(n):
    shared = ["shared"] * 3
    data = {"points": [(i, Point(i, -i), shared) for i in range(350)], "names": {"n" + str(i): i * 1.5 for i in range(350)}}
    total = 0
    globals()["Point"] = Point
    Point.__module__ = __name__
    for _ in range(n):
        data = pickle.loads(pickle.dumps(data, 4))
        total += sum(point.x - point.y for _, point, _ in data["points"]) + len(data["names"])
    return total
