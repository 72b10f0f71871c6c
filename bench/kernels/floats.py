# Floating point: an orbit integrated step by step, and the escape times of a small Mandelbrot picture.
N = 125


def orbit(steps):
    x = 1.0
    y = 0.0
    vx = 0.0
    vy = 1.0
    for _ in range(steps):
        r2 = x * x + y * y
        pull = -0.001 / (r2 * r2**0.5)
        vx += x * pull
        vy += y * pull
        x += vx * 0.001
        y += vy * 0.001
    return int((x + y) * 1_000_000)


def kernel(n):
    total = orbit(1000 * n)
    for row in range(n):
        ci = row / n * 2.0 - 1.0
        for column in range(n):
            cr = column / n * 3.0 - 2.0
            zr = 0.0
            zi = 0.0
            count = 0
            while count < 60 and zr * zr + zi * zi < 4.0:
                zr, zi = zr * zr - zi * zi + cr, 2.0 * zr * zi + ci
                count += 1
            total += count
    return total
