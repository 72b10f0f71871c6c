# Sorting: integers, strings, by a key function, by tuples, and a merge written in Python.
N = 40_000


def merge(left, right):
    out = []
    i = 0
    j = 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            out.append(left[i])
            i += 1
        else:
            out.append(right[j])
            j += 1
    return out + left[i:] + right[j:]


def kernel(n):
    values = []
    state = 12345
    for _ in range(n):
        state = (state * 1103515245 + 12345) % 2147483648
        values.append(state)
    ordered = sorted(values)
    texts = sorted([str(value) for value in values])
    by_digit = sorted(values, key=lambda value: value % 1000)
    pairs = sorted([(value % 100, value) for value in values])
    merged = merge(sorted(values[: n // 2]), sorted(values[n // 2 :]))
    assert merged == ordered
    return ordered[n // 3] + len(texts[7]) + by_digit[n // 2] + pairs[n // 4][1]
