// Stock Pyodide, started as its documentation says.
import { loadPyodide } from "pyodide";
import { serve } from "./serve.mjs";

const pyodide = await loadPyodide();
await serve({
  define: (source) => pyodide.runPython(source),
  call: () => pyodide.runPython("str(kernel(N))"),
});
