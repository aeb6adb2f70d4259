import assert from "node:assert/strict";
import { test } from "node:test";
import { Budget, fairRoom } from "./budget.ts";

/** What each of several may hold in the end, if all take as much as they can, one after the other. */
function takeTurns(most: number, weights: readonly number[]): readonly number[] {
  const budget = new Budget(most);
  const shares = weights.map((weight) => budget.share(weight));
  for (let round = 0; round < 100; round++) {
    for (const share of shares) share.change(Math.floor(share.room));
  }
  return shares.map(({ held }) => held);
}

test("Share.room is all that is free for one who is alone", () => {
  assert.deepEqual(takeTurns(900, [1]), [900]);
});

test("Share.room leaves a third to others who have not come yet", () => {
  const budget = new Budget(900);
  const [first, second] = [budget.share(1), budget.share(1)];
  first.change(600);
  assert.equal(first.room, 0);
  assert.equal(second.room, 300);
});

test("Share.room lets one who holds nothing take what is free, whatever its size", () => {
  const budget = new Budget(900);
  const [first] = [budget.share(1), budget.share(1)];
  assert.equal(first?.room, 900);
});

test("Share.room gives more to who has more weight", () => {
  const budget = new Budget(900);
  const [light, heavy] = [budget.share(1), budget.share(4)];
  light.change(100);
  heavy.change(100);
  assert.equal(Math.floor(light.room), Math.floor((2 * 700 - 100) / 3));
  assert.equal(Math.floor(heavy.room), Math.floor((8 * 700 - 100) / 9));
});

test("Share.room grows for those who stay when one leaves", () => {
  const budget = new Budget(900);
  const stays = budget.share(1);
  const leaves = budget.share(1);
  stays.change(600);
  leaves[Symbol.dispose]();
  assert.equal(stays.room, 300);
});

const ROOMS = [
  { free: 3, held: 0, weight: 1, room: 2 },
  { free: 1, held: 2, weight: 1, room: 0 },
  { free: 0, held: 0, weight: 1, room: 0 },
  { free: 0, held: 5, weight: 100, room: 0 },
];
for (const { room, ...state } of ROOMS) {
  test(`fairRoom() of ${JSON.stringify(state)} is ${room}`, () => {
    assert.equal(fairRoom(state), room);
  });
}
