# The json module, both ways, over nested records.
import json

N = 250


def kernel(n):
    records = []
    for i in range(120):
        records.append({"id": i, "name": "record " + str(i), "tags": ["a", "b", str(i % 5)], "score": i / 4, "ok": i % 2 == 0, "none": None})
    total = 0
    for i in range(n):
        text = json.dumps({"round": i, "records": records})
        back = json.loads(text)
        total += len(text) + back["records"][i % 120]["id"]
    return total
