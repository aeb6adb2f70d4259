import assert from "node:assert/strict";
import { test } from "node:test";
import { renderServing } from "./route-list.ts";

const serving = {
  url: "http://127.0.0.1:33165",
  address: { host: "127.0.0.1", port: 33165 },
  routes: [
    { id: "g", path: "", isWildcard: true, description: "" },
    { id: "h", path: "/h", isWildcard: false, description: "Says hello" },
  ],
};

test("renderServing() writes JSON as Spin does", () => {
  assert.equal(
    renderServing(serving, "json"),
    `{
  "base_url": "http://127.0.0.1:33165",
  "routes": [
    {
      "id": "g",
      "route": "/",
      "wildcard": true
    },
    {
      "id": "h",
      "route": "/h",
      "wildcard": false,
      "description": "Says hello"
    }
  ]
}
`,
  );
});

test("renderServing() writes the root as nothing, and descriptions below their route", () => {
  assert.equal(
    renderServing(serving, "plain"),
    `
Serving http://127.0.0.1:33165
Available Routes:
  g: http://127.0.0.1:33165 (wildcard)
  h: http://127.0.0.1:33165/h
    Says hello
`,
  );
});
