// Allow-lists of hosts, case by case; the cases follow what Spin's own tests claim
// (`crates/outbound-networking-config/src/allowed_hosts.rs`).

import assert from "node:assert/strict";
import { test } from "node:test";

import { AllowedHostSyntaxError, AllowedHosts, parseAllowedHost, parseOutboundUrl } from "./allowed-hosts.ts";

const requests = [
  { item: "http://example.com", url: "http://example.com", allowed: true },
  { item: "http://example.com", url: "http://example.com/some/path?q", allowed: true },
  { item: "http://example.com", url: "http://example.com:80", allowed: true },
  { item: "http://example.com", url: "http://example.com:8080", allowed: false },
  { item: "http://example.com", url: "https://example.com", allowed: false },
  { item: "http://example.com/", url: "http://example.com", allowed: true },
  { item: " http://example.com ", url: "http://example.com", allowed: true },
  { item: "http://Example.COM", url: "http://eXample.com", allowed: true },
  { item: "http://exämple.com", url: "http://xn--exmple-cua.com", allowed: true },
  { item: "http://example.com:", url: "http://example.com", allowed: true },
  { item: "http://example.com:4444/", url: "http://example.com:4444", allowed: true },
  { item: "http://example.com:4444..5555", url: "http://example.com:4444", allowed: true },
  { item: "http://example.com:4444..5555", url: "http://example.com:5554", allowed: true },
  { item: "http://example.com:4444..5555", url: "http://example.com:5555", allowed: false },
  { item: "http://example.com:*", url: "http://example.com:1", allowed: true },
  { item: "*://example.com:443", url: "https://example.com", allowed: true },
  { item: "*://example.com:443", url: "http://example.com", allowed: false },
  { item: "*://example.com:443", url: "tcp://example.com", allowed: false },
  { item: "*://*:*", url: "anything://example.com:1234", allowed: true },
  { item: "*://*:*", url: "anything://example.com", allowed: true },
  { item: "http://*.example.com", url: "http://a.example.com/x", allowed: true },
  { item: "http://*.Example.com", url: "http://a.b.example.com", allowed: true },
  { item: "http://*.example.com", url: "http://example.com", allowed: false },
  { item: "http://*.example.com", url: "http://myexample.com", allowed: false },
  { item: "http://*.example.com:8383", url: "http://a.example.com", allowed: false },
  { item: "http://192.168.1.1", url: "http://192.168.1.1", allowed: true },
  { item: "http://192.168.1.1", url: "http://3232235777", allowed: true },
  { item: "http://localhost:3001", url: "http://localhost:3001", allowed: true },
  { item: "http://[::1]", url: "http://[0:0::1]/path", allowed: true },
  { item: "http://[::1]", url: "http://[::2]", allowed: false },
  { item: "http://[::1]:*", url: "http://[::1]:81", allowed: true },
  { item: "http://[::1]:8000..9000", url: "http://[::1]:8500", allowed: true },
  { item: "http://2001:db8::/32", url: "http://[2001:db8:abcd::1]/x", allowed: true },
  { item: "http://2001:db8::/32", url: "http://[2001:db9::1]", allowed: false },
  { item: "http://2001:db8::/32:443", url: "http://[2001:db8::1]:443", allowed: true },
  { item: "*://127.0.0.1/24:63551", url: "tcp://127.0.0.9:63551", allowed: true },
  { item: "http://10.0.0.0/8", url: "http://10.255.0.1", allowed: true },
  { item: "http://10.0.0.0/8", url: "http://11.0.0.1", allowed: false },
  { item: "http://10.0.0.0/8", url: "http://[::ffff:10.0.0.1]", allowed: false },
  { item: "http://10.0.0.0/8", url: "http://example.com", allowed: false },
  { item: "http://0.0.0.0/0", url: "http://1.2.3.4", allowed: true },
  { item: "http://self", url: "http://self", allowed: false },
  { item: "mysql://xyz.com", url: "mysql://user:pass#word@xyz.com", allowed: true },
  { item: "mysql://xyz.com", url: "mysql://user%3Apass%23word@xyz.com", allowed: true },
  { item: "mysql://xyz.com", url: "mysql://user:p?ss@XYZ.com:3306/db", allowed: true },
  { item: "mysql://xyz.com", url: "mysql://xyz.com@evil.com", allowed: false },
  { item: "https://example.com", url: "https://example.com/file@0.1.0.json", allowed: true },
  { item: "https://example.com", url: "https://evil.com/@example.com", allowed: false },
  { item: "postgres://db.example.com", url: "postgres://db.example.com/name", allowed: true },
  { item: "mqtt://broker:1883", url: "mqtt://broker", allowed: true },
];

for (const { item, url, allowed } of requests) {
  test(`AllowedHosts.allows() ${allowed ? "lets" : "does not let"} ${url} through "${item}"`, () => {
    const parsed = parseOutboundUrl(url, "http");
    assert.ok(parsed);
    assert.equal(AllowedHosts.parse([item]).allows(parsed), allowed);
  });
}

const withoutScheme = [
  { text: "example.com:8383", scheme: "http", item: "http://example.com:8383" },
  { text: "user%3Apass%23word@xyz.com", scheme: "mysql", item: "mysql://xyz.com" },
  { text: "user:pass#word@xyz.com:99/db", scheme: "mysql", item: "mysql://xyz.com:99" },
  { text: "[::1]:6379", scheme: "redis", item: "redis://[::1]" },
];

for (const { text, scheme, item } of withoutScheme) {
  test(`parseOutboundUrl() puts "${scheme}" in front of ${text}`, () => {
    const parsed = parseOutboundUrl(text, scheme);
    assert.ok(parsed && AllowedHosts.parse([item]).allows(parsed));
  });
}

test("parseOutboundUrl() gives nothing for what is no URL", () => {
  for (const text of ["", "//", "http://exa mple.com", "http://[::1"]) {
    assert.equal(parseOutboundUrl(text, "http"), undefined, text);
  }
});

const mistakes = [
  "",
  "*",
  ":",
  "?",
  "example.com",
  "example.com:80",
  "[::1]:8080",
  "{http,https}://example.com",
  "ht-tp://example.com",
  "tcp://example.com",
  "*://127.0.0.0/24",
  "http://{a,b}",
  "http://example.com:{80,443}",
  "http://example.com/a",
  "http://example.com//",
  "http://example.com:6666/a/b",
  "http://*.example.com/a",
  "http://self//",
  "http://[::1]/foo",
  "http://[::1]//",
  "http://ff00::/8/extra",
  "http://127.0.0.0/24/p",
  "http://example.com:notaport",
  "http://example.com:99999",
  "http://example.com:8080..70000",
  "http://*.example.com:8080..",
  "http://self:notaport",
  "http://*:notaport",
  "http://127.0.0.1:notaport",
  "http://[::1]:notaport",
  "http://[::1]:99999",
  "http://ff00::/8:99999",
  "http://ff00::/129",
  "http://fe80::1%eth0/64",
  "http://10.0.0.0/33",
  "http://example.com:80:90",
  "http://[::1",
  "http://[::1]junk",
  "http://[::1]::80",
  "http://[v1.]",
  "http://example%.com",
  "http://example%GG.com",
  "http://exa[mple.com",
  "http://exa\\mple.com",
  "http://user@example.com",
  "http://exa?mple.com",
  "http://",
  "http://*.",
  "http://a.*.com",
  "http://*.*.com",
  "http://*.127.0.0.1",
  "http://*.[::1]",
];

for (const item of mistakes) {
  test(`parseAllowedHost() refuses "${item}"`, () => {
    assert.throws(() => parseAllowedHost(item), AllowedHostSyntaxError);
  });
}

test("parseAllowedHost() blames an explicit port before the host", () => {
  assert.throws(() => parseAllowedHost("http://*.example.com:99999"), /port "99999"/);
});

test("AllowedHosts.parse() leaves out items that came out empty", () => {
  assert.equal(AllowedHosts.parse(["", "http://", "https://", "https://three"]).items.length, 1);
});

test("AllowedHosts.parse() makes *.spin.internal the components of the application", () => {
  const hosts = AllowedHosts.parse(["http://*.spin.internal", "http://example.com"], ["one", "two", "UP"]);
  const allows = (url: string) => hosts.allows(parseOutboundUrl(url, "http") ?? assert.fail());
  assert.equal(hosts.items.length, 4);
  assert.ok(allows("http://one.spin.internal/x"));
  assert.ok(allows("http://up.spin.internal"));
  assert.ok(!allows("http://three.spin.internal"));
  assert.ok(!allows("http://a.one.spin.internal"));
});

test("AllowedHosts.allowsSelf() is for `self`, `self.alt` and any host, with a scheme that is asked for", () => {
  const allowsSelf = (item: string) => AllowedHosts.parse([item]).allowsSelf(["http", "https"]);
  assert.ok(allowsSelf("http://self"));
  assert.ok(allowsSelf("https://self.alt"));
  assert.ok(allowsSelf("*://*:*"));
  assert.ok(!allowsSelf("redis://self"));
  assert.ok(!allowsSelf("http://example.com"));
});

test("AllowedHosts allows nothing if it is empty", () => {
  const url = parseOutboundUrl("http://example.com", "http");
  assert.ok(url && !AllowedHosts.parse([]).allows(url));
});
