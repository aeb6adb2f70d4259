// An application of the JavaScript SDK 3 with Hono: streams both ways, outbound requests, and what a runtime for the
// web has. `npm run suite:sdk-guests` runs it as js-hono.wasm, made with @spinframework/build-tools 1.0.7 and hono 4.13:
//
//     esbuild with the plugin of @spinframework/build-tools, then: j2w -i build/hono.js -o js-hono.wasm

import { Hono } from "hono";

const app = new Hono();
const text = new TextEncoder();
app.get("/", (c) => c.text("hello from hono\n", 200, { "x-guest": "js-hono" }));
app.get("/users/:id", (c) => c.json({ id: c.req.param("id"), q: c.req.query("q") }));
app.get("/stream", () => {
  let left = 3;
  return new Response(
    new ReadableStream({
      async pull(controller) {
        if (left-- === 0) return controller.close();
        await new Promise((resolve) => setTimeout(resolve, 20));
        controller.enqueue(text.encode(`piece ${left}\n`));
      },
    }),
    { headers: { "content-type": "text/plain" } },
  );
});
app.post(
  "/echo",
  (c) => new Response(c.req.raw.body, { headers: { "content-type": c.req.header("content-type") } }),
);
app.post(
  "/upper",
  (c) =>
    new Response(
      c.req.raw.body.pipeThrough(
        new TransformStream({
          transform(chunk, controller) {
            controller.enqueue(chunk.map((b) => (b >= 97 && b <= 122 ? b - 32 : b)));
          },
        }),
      ),
    ),
);
app.post("/digest", async (c) => {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await c.req.arrayBuffer()));
  return c.text([...hash].map((b) => b.toString(16).padStart(2, "0")).join(""));
});
app.get("/out", async (c) => {
  const response = await fetch(c.req.header("x-target"), {
    method: "POST",
    headers: { "x-from": "guest" },
    body: "twelve bytes",
  });
  return new Response(response.body, { status: response.status, headers: { "x-upstream": "1" } });
});
app.get("/apis", async (c) =>
  c.json({
    url: new URL("../b?c=1#d", "http://a.example/x/y").href,
    base64: atob(btoa("spindle")),
    clone: structuredClone(new Map([["a", [1, 2]]])).get("a").length,
    uuid: /^[0-9a-f-]{36}$/.test(crypto.randomUUID()),
    decoded: new TextDecoder().decode(text.encode("é🦀")),
    params: new URLSearchParams("a=1&b=2").get("b"),
    time: typeof performance.now() === "number" && Date.now() > 1e12,
  }),
);
app.get("/throw", () => {
  throw new Error("thrown");
});
app.notFound((c) => c.text(`no route ${c.req.path}\n`, 404));
addEventListener("fetch", (event) => event.respondWith(app.fetch(event.request)));
