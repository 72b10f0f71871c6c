# Plain function calls: a doubly recursive function and one with keyword and default arguments.
N = 21


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def shift(value, by=1, *, modulus=1009):
    return (value * 31 + by) % modulus


def kernel(n):
    total = 0
    for i in range(260_000):
        total = shift(total, by=i, modulus=65_521)
    for _ in range(28):
        total += fib(n)
    return total
