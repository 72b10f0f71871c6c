# Counting loops and small-integer arithmetic in local variables.
N = 400_000


def kernel(n):
    a = 1
    b = 0
    i = 0
    while i < n:
        a = (a * 1103 + 12345) & 0xFFFF
        if a & 1:
            b = b + a
        else:
            b = b ^ i
        i += 1
    for j in range(n):
        b = (b + j * 3) & 0xFFFFFF
    return b
