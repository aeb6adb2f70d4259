import assert from "node:assert/strict";
import { test } from "node:test";
import { GuestReplyError, ReplyHeaders } from "./reply-headers.ts";

test("ReplyHeaders keeps the last value of a name, at the place of its first", () => {
  const headers = new ReplyHeaders("api");
  headers.set("Set-Cookie", "a=1");
  headers.set("x-a", "");
  headers.set("set-cookie", "b=2");
  assert.deepEqual(headers.list, ["set-cookie", "b=2", "x-a", ""]);
});

test("ReplyHeaders.has() looks at names only", () => {
  const headers = new ReplyHeaders("api");
  headers.set("x-a", "x-b");
  assert.deepEqual([headers.has("x-a"), headers.has("x-b")], [true, false]);
});

for (const name of ["", "x y", "x:", "é", "x\n", "\0", '"x"']) {
  test(`ReplyHeaders refuses the name ${JSON.stringify(name)}`, () => {
    assert.throws(() => new ReplyHeaders("api").set(name, "v"), GuestReplyError);
  });
}

for (const value of ["a\r\nx-injected: b", "a\0", "\x7f", "\n", "\u20ac"]) {
  test(`ReplyHeaders refuses the value ${JSON.stringify(value)}`, () => {
    assert.throws(
      () => new ReplyHeaders("api").set("x", value),
      /Component "api" answered with an invalid value/,
    );
  });
}
