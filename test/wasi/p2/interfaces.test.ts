// The texts of the interfaces, and that there is a function for each of theirs.

import assert from "node:assert/strict";
import { test } from "node:test";

import { describeFunction, type HostInterfaceType, parseInterface } from "../../../src/component/mod.ts";
import { FINAL, hostInterfaces, NOVEMBER, OCTOBER } from "./interface-guest.ts";

const parsed = new Map<string, HostInterfaceType>();

function typeOf(name: string): HostInterfaceType | undefined {
  const host = hostInterfaces.get(name);
  const known = parsed.get(name);
  if (!host || known) return known;
  const type = parseInterface(host.wit, typeOf);
  parsed.set(name, type);
  return type;
}

for (const [name, host] of hostInterfaces) {
  test(`${name} has a function for each of its text, and no other`, () => {
    const type = typeOf(name);
    assert.equal(type?.name, name);
    assert.deepEqual(Object.keys(host.functions).sort(), [...type.functions.keys()].sort());
    for (const resource of Object.keys(host.resources ?? {}))
      assert.ok(type.resources.has(resource), resource);
  });
}

function interfacesOf(version: string): string[] {
  const names = [...hostInterfaces.keys()].filter((name) => name.endsWith(`@${version}`));
  return names.map((name) => name.slice("wasi:".length, name.indexOf("@"))).sort();
}

/** What a component may import in `wasi:cli/imports@0.2.12`, without what is unstable. */
const IMPORTS = [
  ...["cli/environment", "cli/exit", "cli/stderr", "cli/stdin", "cli/stdout", "cli/terminal-input"],
  ...["cli/terminal-output", "cli/terminal-stderr", "cli/terminal-stdin", "cli/terminal-stdout"],
  ...["clocks/monotonic-clock", "clocks/wall-clock", "filesystem/preopens", "filesystem/types"],
  ...["io/error", "io/poll", "io/streams", "random/insecure", "random/insecure-seed", "random/random"],
  ...["sockets/instance-network", "sockets/ip-name-lookup", "sockets/network", "sockets/tcp"],
  ...["sockets/tcp-create-socket", "sockets/udp", "sockets/udp-create-socket"],
];

test("0.2 and the draft of November have all interfaces; that of October has no io/error", () => {
  assert.deepEqual(interfacesOf(FINAL), IMPORTS);
  assert.deepEqual(interfacesOf(NOVEMBER), IMPORTS);
  assert.deepEqual(
    interfacesOf(OCTOBER),
    IMPORTS.filter((name) => name !== "io/error"),
  );
});

function functionText(path: string, version: string): string | undefined {
  const [name, fn = ""] = path.split("#");
  const type = typeOf(`wasi:${name}@${version}`)?.functions.get(fn);
  return type && describeFunction(type);
}

const differences = [
  { path: "io/poll#poll", has: [FINAL, NOVEMBER] },
  { path: "io/poll#poll-one", has: [OCTOBER] },
  { path: "io/streams#[method]output-stream.forward", has: [OCTOBER] },
  { path: "io/streams#[method]error.to-debug-string", has: [OCTOBER] },
  { path: "cli/exit#exit-with-code", has: [FINAL] },
  { path: "clocks/monotonic-clock#subscribe-duration", has: [FINAL, NOVEMBER] },
  { path: "filesystem/types#[method]descriptor.lock-shared", has: [OCTOBER] },
  { path: "sockets/tcp#[method]tcp-socket.ipv6-only", has: [NOVEMBER, OCTOBER] },
  { path: "sockets/tcp#[method]tcp-socket.keep-alive-count", has: [FINAL, NOVEMBER] },
  { path: "sockets/tcp#[method]tcp-socket.no-delay", has: [OCTOBER] },
  { path: "sockets/udp#[method]udp-socket.stream", has: [FINAL, NOVEMBER] },
  { path: "sockets/udp#[method]udp-socket.send", has: [OCTOBER] },
];
for (const { path, has } of differences) {
  test(`${path} is in ${has.join(" and ")} only`, () => {
    const found = [FINAL, NOVEMBER, OCTOBER].filter((version) => functionText(path, version) !== undefined);
    assert.deepEqual(found, has);
  });
}

test("a splice borrows its source, but in the draft of October it consumes it", () => {
  const path = "io/streams#[method]output-stream.splice";
  assert.match(functionText(path, FINAL) ?? "", /src: borrow<input-stream>/);
  assert.match(functionText(path, OCTOBER) ?? "", /src: input-stream/);
});
