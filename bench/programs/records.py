# A small job of a plug-in or a model: 300 records through json and re.
import json
import re

records = [{"number": i, "name": f"x{i}"} for i in range(300)]
text = json.dumps(records)
print(sum(record["number"] for record in json.loads(text)), len(re.findall(r"x\d+", text)))
