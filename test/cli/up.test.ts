// `spindle up`, as a user starts, watches and ends it.

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import https from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { CERTIFICATE, KEY } from "../executors/certificate.ts";
import { Workplace } from "./spindle-process.ts";

const MANIFEST = `
spin_manifest_version = 2
[application]
name = "printer"
version = "1.2.3"

[[trigger.http]]
route = "/spin/..."
component = "spin"

[[trigger.http]]
route = "/wagi"
component = "wagi"
executor = { type = "wagi" }

[component.spin]
source = "spin-b.wasm"
description = "Shows the request"

[component.wagi]
source = "wagi.wasm"
`;
const GUESTS = ["c/spin-b", "c/wagi"];

test("up tells the address and the routes on standard output, and the log directory on standard error", async () => {
  using place = new Workplace(MANIFEST, GUESTS);
  await using spindle = await place.up();
  const url = await spindle.serving();
  assert.equal(
    spindle.stdout,
    `
Serving ${url}
Available Routes:
  wagi: ${url}/wagi
  spin: ${url}/spin (wildcard)
    Shows the request
`,
  );
  assert.equal(spindle.stderr, 'Logging component stdio to ".spin/logs/"\n');
  assert.equal((await spindle.fetch("/spin/x")).status, 200);
});

test("up serves HTTPS with --tls-cert and --tls-key", async () => {
  using place = new Workplace(MANIFEST, GUESTS);
  place.write("cert.pem", CERTIFICATE);
  place.write("key.pem", KEY);
  await using spindle = await place.up(["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
  const url = await spindle.serving();
  assert.match(url, /^https:/);
  const told = await new Promise<string>((resolve, reject) => {
    https
      .get(`${url}/spin/x`, { ca: CERTIFICATE, servername: "localhost" }, async (response) => {
        resolve(Buffer.concat(await Array.fromAsync(response)).toString());
      })
      .on("error", reject);
  });
  assert.match(told, /spin-full-url: https:\/\/127\.0\.0\.1:\d+\/spin\/x/);
});

test("up --format json tells them to a program", async () => {
  using place = new Workplace(MANIFEST, GUESTS);
  await using spindle = await place.up(["--format", "json", "-c", "spin"]);
  assert.deepEqual(JSON.parse(spindle.stdout), {
    base_url: await spindle.serving(),
    routes: [{ id: "spin", route: "/spin", wildcard: true, description: "Shows the request" }],
  });
});

test("up serves a module that comes alone, and makes no state directory for it", async () => {
  using place = new Workplace("", ["c/hello"]);
  await using spindle = await place.up(["-f", "hello.wasm"]);
  assert.match(spindle.stdout, /^ {2}hello: http:\/\/127\.0\.0\.1:\d+ \(wildcard\)$/m);
  assert.equal((await spindle.fetch("/any/path")).status, 200);
  assert.ok(!existsSync(join(place.folder, ".spin")));
});

test("up finds the manifest above the directory it is started in", async () => {
  using place = new Workplace(MANIFEST, GUESTS);
  place.write("below/README", "");
  await using spindle = await place.up([], { cwd: join(place.folder, "below") });
  assert.equal((await spindle.fetch("/spin/")).status, 200);
  assert.ok(existsSync(join(place.folder, ".spin", "logs", "spin_stdout.txt")));
});

test("up writes what guests print to log files and to standard error, as it is", async () => {
  using place = new Workplace(MANIFEST, GUESTS);
  await using spindle = await place.up();
  await spindle.fetch("/wagi");
  await spindle.until(() => spindle.stderr.includes("wagi guest done\n"));
  const logs = join(place.folder, ".spin", "logs");
  assert.equal(readFileSync(join(logs, "wagi_stderr.txt"), "utf8"), "wagi guest done\n");
  assert.equal(readFileSync(join(logs, "wagi_stdout.txt"), "utf8"), "");
  assert.equal(readFileSync(join(logs, "spin_stdout.txt"), "utf8"), "");
});

test("up --log-prefix says which component printed a line; --follow and --quiet choose whom to show", async () => {
  using place = new Workplace(MANIFEST, GUESTS);
  const shown = async (args: readonly string[]) => {
    await using spindle = await place.up([...args, "--truncate-logs"]);
    for (const path of ["/wagi", "/spin/"]) await spindle.fetch(path);
    spindle.kill("SIGTERM");
    const { stderr } = await spindle.ended();
    return stderr.split("\n").slice(1, -1);
  };
  assert.deepEqual(await shown(["--log-prefix"]), ["[wagi] wagi guest done", "[spin] handled /spin/"]);
  assert.deepEqual(await shown(["--follow", "spin"]), ["handled /spin/"]);
  assert.deepEqual(await shown(["--quiet"]), []);
  assert.deepEqual(await shown(["--shush"]), []);
  assert.equal(readFileSync(join(place.folder, ".spin/logs/wagi_stderr.txt"), "utf8"), "wagi guest done\n");
});

test("up without a log directory shows all output on the terminal, also if it is to be quiet", async () => {
  using place = new Workplace(MANIFEST, GUESTS);
  await using spindle = await place.up(["--log-dir", "", "--quiet"]);
  await spindle.fetch("/wagi");
  await spindle.until(() => spindle.stderr === "wagi guest done\n");
  assert.ok(!existsSync(join(place.folder, ".spin")));
});

test("up goes on when nobody reads its output any more", async () => {
  using place = new Workplace(MANIFEST, GUESTS);
  await using spindle = await place.up();
  const url = await spindle.serving();
  spindle.child.stdout?.destroy();
  spindle.child.stderr?.destroy();
  for (let request = 0; request < 3; request++) assert.equal((await fetch(`${url}/wagi`)).status, 200);
  spindle.kill("SIGTERM");
  assert.equal((await spindle.ended()).code, 0);
});

test("up takes -e for all components, over what the manifest has", async () => {
  using place = new Workplace(
    MANIFEST.replace("/spin/...", "/...").replace(
      "[component.wagi]",
      'environment = { A = "1", C = "3" }\n[component.wagi]',
    ),
    GUESTS,
  );
  await using spindle = await place.up(["-e", "A=2", "--env", "B==🦀"]);
  const text = await (await spindle.fetch("/environment")).text();
  assert.deepEqual(text.split("\n").sort(), ["", "A=2", "B==🦀", "C=3"]);
});

test("up tells that a port is in use, and finds another one if asked to", async () => {
  using place = new Workplace(MANIFEST, GUESTS);
  await using holder = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => holder.once("listening", resolve));
  // A server on TCP has an address of this form.
  const { port } = holder.address() as { port: number };
  await using refused = place.spindle(["up", "--listen", `127.0.0.1:${port}`]);
  const { code, stdout, stderr } = await refused.ended();
  assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
  assert.match(
    stderr,
    new RegExp(`127\\.0\\.0\\.1:${port}: it is already in use \\[PORT_IN_USE\\]\n.*--find-free-port`),
  );
  assert.deepEqual(place.leftovers, []);
  await using found = place.spindle(["up", "--listen", `127.0.0.1:${port}`, "--find-free-port"]);
  assert.notEqual(new URL(await found.serving()).port, String(port));
});

test("up starts nothing for a manifest with mistakes, and tells them all with their places", async () => {
  const broken = MANIFEST.replace("[component.wagi]\nsource", "[component.wagi]\nsorce").replace(
    'route = "/wagi"',
    "route = 7",
  );
  using place = new Workplace(broken, GUESTS);
  await using spindle = place.spindle(["up"]);
  const { code, stdout, stderr } = await spindle.ended();
  assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
  assert.match(stderr, /Did you mean "source"\?/);
  assert.ok((stderr.match(/--> spin\.toml:\d+:\d+/g) ?? []).length >= 2, stderr);
  assert.deepEqual(place.leftovers, []);
  assert.ok(!existsSync(join(place.folder, ".spin")));
});

const FAILURES = [
  { what: "a component to follow that does not exist", args: ["--follow", "wagy"], code: "FOLLOW_UNKNOWN" },
  {
    what: "a log directory that is a file",
    args: ["--log-dir", "spin.toml"],
    code: "LOG_DIRECTORY_UNUSABLE",
  },
  {
    what: "a log directory below a file",
    args: ["--log-dir", "spin.toml/logs"],
    code: "LOG_DIRECTORY_UNUSABLE",
  },
  {
    what: "a working directory below a file",
    args: ["--temp", "spin.toml/x"],
    code: "WORKING_DIRECTORY_UNUSABLE",
  },
  { what: "an application that is not there", args: ["-f", "nowhere"], code: "APPLICATION_NOT_FOUND" },
  { what: "a component that is not there", args: ["-c", "nobody"], code: "COMPONENT_UNKNOWN" },
  { what: "a build command that fails", args: ["--build"], code: "BUILD_FAILED" },
];
for (const { what, args, code } of FAILURES) {
  test(`up ends with 1 and ${code} for ${what}`, async () => {
    using place = new Workplace(`${MANIFEST}[component.wagi.build]\ncommand = "exit 3"\n`, GUESTS);
    await using spindle = place.spindle(["up", "--listen", "127.0.0.1:0", ...args]);
    const ended = await spindle.ended();
    assert.deepEqual({ code: ended.code, stdout: ended.stdout }, { code: 1, stdout: "" });
    assert.match(ended.stderr, new RegExp(`\\[${code}\\]`));
    assert.deepEqual(place.leftovers, []);
  });
}

const MISTYPED = [
  { args: ["--listen", "3000"], code: "LISTEN_ADDRESS_INVALID" },
  { args: ["--block-network", "10.0.0.0/33"], code: "OUTBOUND_NETWORK_INVALID" },
];
for (const { args, code } of MISTYPED) {
  test(`up ${args.join(" ")} ends with 2 and ${code}, and has made nothing`, async () => {
    using place = new Workplace(MANIFEST, GUESTS);
    await using spindle = place.spindle(["up", ...args]);
    const ended = await spindle.ended();
    assert.deepEqual({ code: ended.code, stdout: ended.stdout }, { code: 2, stdout: "" });
    assert.match(ended.stderr, new RegExp(`\\[${code}\\]`));
    assert.deepEqual(place.leftovers, []);
    assert.equal(existsSync(join(place.folder, ".spin")), false);
  });
}

test("up --truncate-logs leaves the logs alone if the port is in use", async () => {
  using place = new Workplace(MANIFEST, GUESTS);
  place.write(".spin/logs/wagi_stdout.txt", "precious");
  await using first = await place.up(["--log-dir", ""]);
  const address = new URL(await first.serving()).host;
  await using second = place.spindle(["up", "--listen", address, "--truncate-logs"]);
  assert.equal((await second.ended()).code, 1);
  assert.equal(readFileSync(join(place.folder, ".spin/logs/wagi_stdout.txt"), "utf8"), "precious");
});

test("up --build runs the commands of the components first, in their directories", async () => {
  using place = new Workplace(
    `${MANIFEST}[component.wagi.build]\ncommand = ["echo building", "cp original.wasm ../wagi.wasm"]\nworkdir = "source"\n`,
    ["c/spin-b", "c/wagi"],
  );
  place.write("source/original.wasm", "");
  writeFileSync(join(place.folder, "source", "original.wasm"), readFileSync(join(place.folder, "wagi.wasm")));
  writeFileSync(join(place.folder, "wagi.wasm"), "not yet built");
  await using spindle = await place.up(["--build"]);
  assert.match(spindle.stderr, /^Building component wagi with `echo building`\n/m);
  assert.equal((await spindle.fetch("/wagi")).status, 200);
});

const USAGE = [
  { args: ["up", "--litsen", "x"], says: /Did you mean --listen\?/ },
  { args: ["upp"], says: /"upp" is not a command\n {2}hint: Did you mean "up"\?/ },
  { args: ["build"], says: /`spindle build` is not part of this version/ },
  { args: ["up", "app.wasm"], says: /Did you mean `spindle up --from app\.wasm`\?/ },
  { args: ["up", "-q", "--follow", "a"], says: /cannot be used with/ },
  { args: ["up", "-f", "a", "--file", "b"], says: /more than one application/ },
  { args: ["up", "--tls-cert", "a"], says: /go together/ },
  { args: ["up", "--format", "yaml"], says: /Allowed choices are plain, json/ },
  { args: ["up", "--workers", "0"], says: /It must be a number from 1 to 256, or "auto"/ },
  { args: ["up", "--sqlite", "x"], says: /--sqlite is not supported by this version/ },
  { args: ["maintenance", "generate-completions", "tcsh"], says: /not for "tcsh"/ },
  { args: [], says: /Usage: spindle/ },
];
for (const { args, says } of USAGE) {
  test(`spindle ${args.join(" ")} ends with 2 and says what is wrong`, async () => {
    using place = new Workplace("");
    await using spindle = place.spindle(args);
    const { code, stdout, stderr } = await spindle.ended();
    assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
    assert.match(stderr, says);
  });
}

const INFORMATION = [
  { args: ["--help"], says: /^Usage: spindle/ },
  { args: ["up", "--help"], says: /Examples:/ },
  { args: ["help", "up"], says: /--find-free-port/ },
  { args: ["-V"], says: /^spindle \d/ },
  { args: ["maintenance", "generate-completions", "bash"], says: /complete .* spindle\n$/ },
  { args: ["maintenance", "generate-completions", "zsh"], says: /bashcompinit/ },
  { args: ["maintenance", "generate-completions", "fish"], says: /-l find-free-port/ },
];
for (const { args, says } of INFORMATION) {
  test(`spindle ${args.join(" ")} ends with 0 and says it on standard output`, async () => {
    using place = new Workplace("");
    await using spindle = place.spindle(args);
    const { code, stdout, stderr } = await spindle.ended();
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.match(stdout, says);
  });
}
