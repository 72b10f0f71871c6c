// Two walks over a directed graph, given as the targets of each node. Without recursion: a module has cycles of ten thousand
// functions.

type Targets = readonly (readonly number[])[];

/**
 * By node: the number of its strongly connected component, if that has a cycle; otherwise undefined (Tarjan's algorithm).
 */
export function cyclicComponents(targets: Targets): readonly (number | undefined)[] {
  const component: (number | undefined)[] = new Array(targets.length).fill(undefined);
  const order = new Int32Array(targets.length).fill(-1);
  const low = new Int32Array(targets.length);
  const isOpen = new Uint8Array(targets.length);
  const open: number[] = [];
  let visited = 0;
  for (let root = 0; root < targets.length; root++) {
    if (order[root] !== -1) continue;
    const path: { readonly node: number; edge: number }[] = [];
    const enter = (node: number): void => {
      order[node] = visited;
      low[node] = visited++;
      open.push(node);
      isOpen[node] = 1;
      path.push({ node, edge: 0 });
    };
    enter(root);
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const { node } = top;
      const target = targets[node]?.[top.edge++];
      if (target !== undefined) {
        if (order[target] === -1) enter(target);
        else if (isOpen[target]) low[node] = Math.min(low[node] ?? 0, order[target] ?? 0);
        continue;
      }
      path.pop();
      const parent = path.at(-1)?.node;
      if (parent !== undefined) low[parent] = Math.min(low[parent] ?? 0, low[node] ?? 0);
      if (low[node] !== order[node]) continue;
      const members = open.splice(open.lastIndexOf(node));
      const isCycle = members.length > 1 || targets[node]?.includes(node);
      for (const member of members) {
        isOpen[member] = 0;
        if (isCycle) component[member] = node;
      }
    }
  }
  return component;
}

/** The targets of edges that a depth-first walk finds to lead back into its own path: every cycle has one of them. */
export function targetsOfBackEdges(targets: Targets): ReadonlySet<number> {
  const found = new Set<number>();
  const onPath = 1;
  const done = 2;
  const state = new Uint8Array(targets.length);
  for (let root = 0; root < targets.length; root++) {
    if (state[root]) continue;
    const path = [{ node: root, edge: 0 }];
    state[root] = onPath;
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const target = targets[top.node]?.[top.edge++];
      if (target === undefined) {
        state[top.node] = done;
        path.pop();
      } else if (state[target] === onPath) {
        found.add(target);
      } else if (!state[target]) {
        state[target] = onPath;
        path.push({ node: target, edge: 0 });
      }
    }
  }
  return found;
}
