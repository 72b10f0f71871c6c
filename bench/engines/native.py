"""Runs kernels in this very interpreter: one JSON line in, one out (see harness/engine.ts)."""

import json
import sys
import time

names = sys.modules["__main__"].__dict__

for line in sys.stdin:
    request = json.loads(line)
    try:
        if "define" in request:
            exec(compile(request["define"], "<kernel>", "exec"), names)
            answer = {"value": "", "cpuMs": 0}
        else:
            start = time.process_time()
            value = names["kernel"](names["N"])
            answer = {"value": str(value), "cpuMs": (time.process_time() - start) * 1000}
    except Exception as error:
        answer = {"failure": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
