"""An untrusted plug-in: audits an npm lock file and writes a report in Markdown.

usage: audit-lockfile.py [LOCKFILE [REPORT]]
"""

import json
import sys
from collections import Counter, defaultdict

INSTALLED = "node_modules/"


def audit(lock):
    """Facts about the packages of a lock file of version 2 or 3."""
    if "packages" not in lock:
        sys.exit("this is no lock file of version 2 or 3: it has no packages")
    # The project itself, its workspaces and links to them were not downloaded.
    packages = {path: entry for path, entry in lock["packages"].items() if INSTALLED in path and not entry.get("link")}
    versions = defaultdict(set)
    for path, entry in packages.items():
        versions[entry.get("name") or path.rpartition(INSTALLED)[2]].add(entry.get("version", "?"))
    return {
        "count": len(packages),
        "dev": sum(1 for entry in packages.values() if entry.get("dev") or entry.get("devOptional")),
        "licences": Counter(str(entry.get("license", "not stated")) for entry in packages.values()),
        "scripts": sorted(path for path, entry in packages.items() if entry.get("hasInstallScript")),
        # A bundled package came inside of another one, whose checksum covers it.
        "unverified": sorted(
            path for path, entry in packages.items() if not entry.get("integrity") and not entry.get("inBundle")
        ),
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
        file.write(report(lock.get("name", source), facts))
    print(f"{facts['count']} packages, {len(facts['licences'])} licences")
    print(f"{len(facts['scripts'])} with an install script, {len(facts['unverified'])} without a checksum", end=", ")
    print(f"{len(facts['duplicates'])} in several versions")
    print(f"the report is in {target}")


main(*sys.argv[1:3])
