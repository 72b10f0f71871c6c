// The two walks, against the definitions of what they find, on small random graphs.

import fc from "fast-check";
import { expect, test } from "vitest";
import { cyclicComponents, targetsOfBackEdges } from "./graph.ts";

const graphs = fc
  .integer({ min: 1, max: 8 })
  .chain((count) =>
    fc.array(fc.array(fc.nat({ max: count - 1 }), { maxLength: 4 }), { minLength: count, maxLength: count }),
  );

/** Nodes that a walk of at least one edge leads to. */
function reachable(targets: readonly (readonly number[])[], from: number): ReadonlySet<number> {
  const found = new Set<number>();
  const visit = (node: number): void => {
    for (const target of targets[node] ?? []) {
      if (found.has(target)) continue;
      found.add(target);
      visit(target);
    }
  };
  visit(from);
  return found;
}

test("two nodes are in one component if each leads to the other", () => {
  fc.assert(
    fc.property(graphs, (targets) => {
      const component = cyclicComponents(targets);
      const reach = targets.map((_, node) => reachable(targets, node));
      targets.forEach((_, a) => {
        targets.forEach((__, b) => {
          const together = reach[a]?.has(b) === true && reach[b]?.has(a) === true;
          expect(component[a] !== undefined && component[a] === component[b]).toBe(together);
        });
      });
    }),
  );
});

test("without the targets of back edges there is no cycle", () => {
  fc.assert(
    fc.property(graphs, (targets) => {
      const cut = targetsOfBackEdges(targets);
      const rest = targets.map((nodes, node) =>
        cut.has(node) ? [] : nodes.filter((target) => !cut.has(target)),
      );
      rest.forEach((_, node) => {
        expect(reachable(rest, node).has(node)).toBe(false);
      });
      if (targets.every((_, node) => !reachable(targets, node).has(node))) expect(cut.size).toBe(0);
    }),
  );
});

test("long paths do not exhaust the stack", () => {
  const length = 100_000;
  const ring = Array.from({ length }, (_, node) => [(node + 1) % length]);
  expect(new Set(cyclicComponents(ring)).size).toBe(1);
  expect([...targetsOfBackEdges(ring)]).toEqual([0]);
});
