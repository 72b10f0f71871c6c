// Monty keeps no state between runs: the kernel's source is parsed with each call, which costs it next to nothing.
import { Monty } from "@pydantic/monty";
import { serve } from "./serve.mjs";

let source = "";
await serve({
  define: (text) => {
    source = text;
  },
  call: () => new Monty(`${source}\nstr(kernel(N))`).run(),
});
