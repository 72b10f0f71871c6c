# Integers of many digits: multiplication, division, powers, conversion to decimal and back.
N = 1_400


def kernel(n):
    product = 1
    for i in range(1, n):
        product *= i
    total = 0
    value = product
    for i in range(3_000):
        value = (value * 3 + i) >> 1
        total += value % 1_000_003
        total ^= (value >> 17) & 0xFFFF
    total += product // (3**400) % 1_000_007
    for i in range(16):
        total += pow(7 + i, product >> 5000, 2**521 - 1) % 1_000_033
    text = str(product >> 200)
    return total + len(text) + int(text) % 99_991
