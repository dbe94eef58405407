import assert from "node:assert/strict";
import { test } from "node:test";

import { fakeTime } from "./fakes.js";

process.env.TZ = "Europe/Berlin"; // read when the module makes its formats
const { ago, age, until, clock, days, hours, minutes, seconds, showTimes } = await import("./times.js");

const now = Date.parse("2026-03-10T12:00:00Z");

test("clock shows minutes and seconds", () => {
  const durations = { 0: "0:00", 999: "0:00", 5000: "0:05", 59999: "0:59", 60000: "1:00", 3725000: "62:05" };
  for (const [ms, want] of Object.entries(durations)) assert.equal(clock(Number(ms)), want);
});

test("age is rounded down, and becomes a date after a day", () => {
  const ages = [
    [-5 * seconds, "0 s"], [0, "0 s"], [minutes - 1, "59 s"], [minutes, "1 min"], [hours - 1, "59 min"],
    [hours, "1 h"], [days - 1, "23 h"], [days, "9 Mar"],
  ];
  for (const [ms, want] of ages) assert.equal(age(new Date(now - ms), now), want);
});

test("ago is an age or a date", () => {
  assert.equal(ago(new Date(now - 5 * minutes), now), "5 min ago");
  assert.equal(ago(new Date(now - days), now), "9 Mar");
});

test("until is how far ahead a time is, or the time", () => {
  const times = [
    [-hours, "soon"], [0, "soon"], [minutes - 1, "soon"], [minutes, "in 1 min"], [hours - 1, "in 59 min"], [3 * hours, "in 3 h"], [days - 1, "in 23 h"], [days, "11 Mar 13:00"],
  ];
  for (const [ms, want] of times) assert.equal(until(new Date(now + ms), now), want);
});

const root = (...elements) => ({
  querySelectorAll: (selector) => elements.filter((el) => selector === (el.dataset.as ? "time[data-as]" : "time[data-since]")),
});

test("showTimes writes local times", () => {
  const formats = {
    full: "3 Jan 2026 00:30:05", short: "3 Jan 00:30", hour: "00:30", clock: "00:30:05", age: "3 Jan", ago: "3 Jan", until: "soon",
  };
  for (const [as, want] of Object.entries(formats)) {
    const el = fakeTime("2026-01-02T23:30:05Z", { as });
    showTimes(root(el), now);
    assert.equal(el.textContent, want, as);
    assert.equal(el.title, "3 Jan 2026 00:30:05");
  }
});

test("showTimes counts since a time", () => {
  const el = fakeTime("2026-03-10T11:58:55Z", { since: "" });
  showTimes(root(el), now);
  assert.equal(el.textContent, "1:05");
  showTimes(root(el), now - hours);
  assert.equal(el.textContent, "0:00");
});

// Each write would wake the observer that calls showTimes, in an endless loop.
test("showTimes does not write the same text again", () => {
  let text = "", title = "", writes = 0;
  const el = {
    ...fakeTime("2026-01-02T23:30:05Z"), dataset: { as: "short" },
    get textContent() { return text; }, set textContent(value) { text = value; writes++; },
    get title() { return title; }, set title(value) { title = value; writes++; },
  };
  showTimes(root(el), now);
  showTimes(root(el), now + seconds);
  assert.equal(writes, 2);
});
