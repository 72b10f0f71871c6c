# Classes: construction, attributes, methods, inheritance, a property, operators.
N = 80_000


class Shape:
    def __init__(self, side):
        self.side = side
        self.seen = 0

    def area(self):
        return self.side * self.side

    def grow(self, by):
        self.side = (self.side + by) % 97
        self.seen += 1
        return self


class Box(Shape):
    __slots__ = ("depth",)

    def __init__(self, side, depth):
        super().__init__(side)
        self.depth = depth

    @property
    def volume(self):
        return self.area() * self.depth

    def __add__(self, other):
        return Box(self.side + other.side, self.depth + other.depth)


def kernel(n):
    box = Box(1, 2)
    total = 0
    for i in range(n):
        other = Box(i % 13, i % 7)
        total += (box + other).volume
        total += box.grow(other.side).area()
    return total + box.seen
