# Comprehensions and sets: a sieve, triples, set algebra.
N = 850_000


def kernel(n):
    flags = [True] * (n + 1)
    for i in range(2, int(n**0.5) + 1):
        if flags[i]:
            for j in range(i * i, n + 1, i):
                flags[j] = False
    primes = [i for i in range(2, n) if flags[i]]
    triples = [(a, b) for a in range(1, 160) for b in range(a, 160) if (a * a + b * b) % 97 == 0]
    low = {prime % 1000 for prime in primes}
    high = {value * 7 % 1000 for value in range(600)}
    squares = {value: value * value for value in range(3_000)}
    total = len(primes) + len(triples) + sum(primes) % 1_000_003
    return total + len(low & high) * 3 + len(low | high) + len(low - high) + squares[2_718]
