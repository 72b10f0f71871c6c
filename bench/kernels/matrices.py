# Nested lists and indexing: matrix products, transposition, edit distance.
N = 48


def multiply(a, b, n):
    out = []
    for i in range(n):
        row = []
        left = a[i]
        for j in range(n):
            total = 0
            for k in range(n):
                total += left[k] * b[k][j]
            row.append(total % 1009)
        out.append(row)
    return out


def distance(a, b):
    above = list(range(len(b) + 1))
    for i in range(len(a)):
        current = [i + 1]
        for j in range(len(b)):
            change = above[j] + (0 if a[i] == b[j] else 1)
            current.append(min(above[j + 1] + 1, current[j] + 1, change))
        above = current
    return above[len(b)]


def kernel(n):
    a = [[(i * 3 + j) % 11 for j in range(n)] for i in range(n)]
    b = [[(i + j * 5) % 13 for j in range(n)] for i in range(n)]
    for _ in range(9):
        a = multiply(a, b, n)
    flipped = [list(row) for row in zip(*a)]
    return sum(sum(row) for row in flipped) + flipped[3][5] + distance("kitten sitting on a mitten" * 6, "sitting kitten at the bottom" * 6)
