// The rewriter, by itself: it is loaded when it is needed, as most modules were kept by an earlier start.

export { rewrite } from "../wasm/mod.ts";
