"""An untrusted plug-in: audits an npm lock file and writes a report in Markdown.

usage: audit-lockfile.py [LOCKFILE [REPORT]]
"""

import json
import sys
from collections import Counter, defaultdict


def audit(lock):
    """Facts about the packages of a lock file of version 2 or 3."""
    packages = {path: entry for path, entry in lock.get("packages", {}).items() if path}
    versions = defaultdict(set)
    for path, entry in packages.items():
        versions[path.rpartition("node_modules/")[2]].add(entry.get("version", "?"))
    remote = [path for path, entry in packages.items() if not entry.get("link") and not entry.get("inBundle")]
    return {
        "count": len(packages),
        "dev": sum(1 for entry in packages.values() if entry.get("dev") or entry.get("devOptional")),
        "licences": Counter(str(entry.get("license", "unknown")) for entry in packages.values()),
        "scripts": sorted(path for path, entry in packages.items() if entry.get("hasInstallScript")),
        "unverified": sorted(path for path in remote if "integrity" not in packages[path]),
        "duplicates": {name: sorted(found) for name, found in sorted(versions.items()) if len(found) > 1},
    }


def section(title, lines):
    return [f"## {title}", "", *(lines or ["none"]), ""]


def report(name, facts):
    lines = [f"# Audit of {name}", "", f"{facts['count']} packages, {facts['dev']} of them for development only.", ""]
    lines += section("Licences", [f"- {licence}: {count}" for licence, count in facts["licences"].most_common()])
    lines += section("Packages that run a script when installed", [f"- {path}" for path in facts["scripts"]])
    lines += section("Packages without a checksum", [f"- {path}" for path in facts["unverified"]])
    lines += section(
        "Packages in several versions",
        [f"- {name}: {', '.join(found)}" for name, found in facts["duplicates"].items()],
    )
    return "\n".join(lines)


def main(source="/package-lock.json", target="/report.md"):
    with open(source, encoding="utf-8") as file:
        lock = json.load(file)
    facts = audit(lock)
    with open(target, "x", encoding="utf-8") as file:
        file.write(report(lock.get("name", "?"), facts))
    print(f"{facts['count']} packages, {len(facts['licences'])} licences, {len(facts['scripts'])} install scripts: see {target}")


main(*sys.argv[1:3])
