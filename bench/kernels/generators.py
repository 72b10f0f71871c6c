# Generators: pipelines, delegation, send, and generator expressions.
N = 170_000


def numbers(n):
    for i in range(n):
        yield i


def evens(source):
    for value in source:
        if value % 2 == 0:
            yield value


def both(n):
    yield from numbers(n)
    yield from evens(numbers(n))


def averager():
    total = 0
    count = 0
    while True:
        total += yield total // (count or 1)
        count += 1


def kernel(n):
    total = sum(value * 3 for value in both(n))
    mean = averager()
    next(mean)
    for value in numbers(n):
        total += mean.send(value)
    return total + sum(a * b for a, b in zip(evens(numbers(n)), numbers(n)))
