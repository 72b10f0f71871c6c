# Dictionaries with integer and string keys: insert, look up, count, delete, walk.
N = 400_000


def kernel(n):
    names = ["key" + str(i) for i in range(500)]
    counts = {}
    squares = {}
    total = 0
    for i in range(n):
        name = names[(i * 7919) % 500]
        counts[name] = counts.get(name, 0) + i
        squares[i & 4095] = i
        if name in squares:
            total += 1
    for i in range(0, 4096, 2):
        squares.pop(i)
    for name, value in counts.items():
        total += value + len(name)
    for key in squares:
        total ^= squares[key] + key
    return total
