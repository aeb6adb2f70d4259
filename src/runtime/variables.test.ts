import assert from "node:assert/strict";
import { test } from "node:test";
import { SpindleError } from "../errors/mod.ts";
import { ApplicationVariables, environmentProvider } from "./variables.ts";

const plain = { description: "", secret: false };
const APPLICATION = {
  variables: { greeting: { ...plain, default: "hello" }, token: { ...plain, secret: true } },
};
const COMPONENT = {
  id: "api",
  variables: { text: "{{ greeting }}, é🦀", header: "Bearer {{token}}", fixed: "x", odd: "{{ nobody }}" },
};

function of(environment: Record<string, string | undefined> = {}): ApplicationVariables {
  return new ApplicationVariables(APPLICATION, [environmentProvider(environment)]);
}

test("ApplicationVariables.get() prefers a provider's value to the default", () => {
  assert.equal(of().get("greeting"), "hello");
  assert.equal(of({ SPIN_VARIABLE_GREETING: "hi" }).get("greeting"), "hi");
  assert.equal(of({ SPIN_VARIABLE_GREETING: "" }).get("greeting"), "", "an empty value is one");
  assert.equal(of({ SPIN_VARIABLE_OTHER: "x" }).get("other"), undefined, "it is not declared");
  assert.equal(of().get("constructor"), undefined);
});

test("ApplicationVariables.check() tells every variable without a value", () => {
  of({ SPIN_VARIABLE_TOKEN: "secret" }).check();
  assert.throws(
    () => of().check(),
    (error) =>
      error instanceof SpindleError &&
      error.diagnostics.map(({ code }) => code).join() === "VARIABLE_REQUIRED" &&
      /"token"/.test(error.message),
  );
});

const LOOKUPS = [
  { name: "text", found: { tag: "ok", val: "hello, é🦀" } },
  { name: "fixed", found: { tag: "ok", val: "x" } },
  { name: "header", error: "provider" },
  { name: "odd", error: "provider" },
  { name: "greeting", error: "undefined", because: "it is the application's, not the component's" },
  { name: "non_existent", error: "undefined" },
  { name: "invalid-name", error: "invalid-name" },
  { name: "invalid!name", error: "invalid-name" },
  { name: "4invalidname", error: "invalid-name" },
  { name: "", error: "invalid-name" },
  { name: "a_", error: "invalid-name" },
  { name: "a__b", error: "invalid-name" },
  { name: "Text", error: "invalid-name" },
];
for (const { name, found, error, because = "" } of LOOKUPS) {
  test(`a component that asks for "${name}" gets ${error ?? "its value"}${because && `: ${because}`}`, () => {
    const got = of().ofComponent(COMPONENT).get(name);
    if (found) assert.deepEqual(got, found);
    else assert.equal(got.tag === "err" && got.val.tag, error);
  });
}

test("values may change while the application runs", () => {
  const environment: Record<string, string | undefined> = {};
  const variables = of(environment).ofComponent(COMPONENT);
  environment.SPIN_VARIABLE_TOKEN = "new";
  assert.deepEqual(variables.get("header"), { tag: "ok", val: "Bearer new" });
  assert.deepEqual(variables.names, ["text", "header", "fixed", "odd"]);
});
