# The regular expression engine: scanning, groups, alternatives, substitution.
import re

N = 75


def kernel(n):
    lines = []
    for i in range(300):
        lines.append("2024-%02d-%02dT%02d:00 host%d [%s] user=%d took %dms" % (i % 12 + 1, i % 28 + 1, i % 24, i % 9, "info" if i % 3 else "warning", i * 7, i * 13 % 997))
    text = "\n".join(lines)
    record = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):\d\d host(\d) \[(info|warning)\] user=(\d+) took (\d+)ms")
    total = 0
    for _ in range(n):
        for match in record.finditer(text):
            total += int(match.group(8)) + len(match.group(6))
        total += len(re.sub(r"[aeiou]+", "_", text))
        total += len(re.findall(r"\b(?:user|host|took)\w*", text))
    return total
