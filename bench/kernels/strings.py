# Text: building, splitting, joining, replacing, searching, formatting.
N = 28_000


def kernel(n):
    total = 0
    words = []
    for i in range(n):
        word = f"{i:05d}-{i * 31 % 1000}"
        words.append(word)
        total += len(word.replace("-", "--").upper())
    for _ in range(6):
        text = " ".join(words)
        parts = text.split(" ")
        total += len(parts) + text.find("08999")
        for part in parts:
            left, right = part.split("-")
            if left.startswith("00"):
                total += int(right)
            total += len(part.strip("0"))
    for ch in text[:40_000]:
        total += ord(ch)
    return total
