# Exceptions: raised by the program and by the interpreter, caught near and far, with finally.
N = 160_000


def risky(i):
    if i % 3 == 0:
        raise ValueError("three")
    if i % 5 == 0:
        return [1, 2, 3][i]
    return {"one": 1}["one" if i % 7 else "two"]


def guarded(i):
    done = 0
    try:
        return risky(i)
    except ValueError as error:
        done = len(str(error))
    finally:
        done += 1
    return done


def kernel(n):
    total = 0
    for i in range(n):
        try:
            total += guarded(i)
        except (IndexError, KeyError):
            total += 10
    return total
