# Collections: shortest paths with heapq, deque rotations, Counter, defaultdict, namedtuple, bisect.
import bisect
import heapq
from collections import Counter, defaultdict, deque, namedtuple

N = 13_000

Edge = namedtuple("Edge", "target cost")


def kernel(n):
    graph = defaultdict(list)
    for i in range(n):
        for step in (1, 7, 31):
            graph[i].append(Edge((i * 3 + step) % n, i * step % 17 + 1))
    best = {0: 0}
    queue = [(0, 0)]
    while queue:
        cost, node = heapq.heappop(queue)
        if cost > best[node]:
            continue
        for edge in graph[node]:
            through = cost + edge.cost
            if through < best.get(edge.target, 1 << 30):
                best[edge.target] = through
                heapq.heappush(queue, (through, edge.target))
    window = deque(maxlen=50)
    total = 0
    for i in range(n * 8):
        window.append(i * 13 % 101)
        total += window[0]
    ordered = []
    for i in range(n * 2):
        bisect.insort(ordered, i * 7919 % 5003)
    common = Counter(value % 10 for value in ordered).most_common(3)
    return sum(best.values()) + len(best) + total + ordered[n // 2] + sum(count for _, count in common)
