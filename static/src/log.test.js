import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { FakeDocument, fakePage, fakeTime } from "./fakes.js";

process.env.TZ = "Europe/Berlin"; // read when the module makes its formats
const log = await import("./log.js");

const lineHeight = 20, viewHeight = 200;

// FakeLine is an <li> with its time and its text.
class FakeLine {
  hidden = false;
  time = fakeTime("2026-01-02T23:30:05.25Z");

  constructor(list, text) { this.list = list; this.text = { textContent: text }; }

  querySelector(selector) { return selector === ".m" ? this.text : this.time.title ? null : this.time; }
  get nextElementSibling() { return this.list.lines[this.list.lines.indexOf(this) + 1] ?? null; }
  remove() { this.list.lines.splice(this.list.lines.indexOf(this), 1); }
}

// FakeList is an <ol> for which HTML is one line of text for each <li>.
class FakeList {
  lines = [];

  get firstElementChild() { return this.lines[0] ?? null; }
  get lastElementChild() { return this.lines.at(-1) ?? null; }
  get childElementCount() { return this.lines.length; }
  insertAdjacentHTML(where, html) {
    assert.equal(where, "beforeend");
    for (const text of html.split("\n")) this.lines.push(new FakeLine(this, text));
  }
}

// FakeLog scrolls as a browser does: no further than to its last line.
class FakeLog extends FakeDocument {
  list = new FakeList();
  clientHeight = viewHeight;
  dataset = { stream: "/stores/7/logs/stream?of=web", last: "1:2" };
  classes = new Set();
  classList = { toggle: (name, on) => (on ? this.classes.add(name) : this.classes.delete(name)) };
  #top = 0;

  constructor(...lines) { super(); if (lines.length) this.list.insertAdjacentHTML("beforeend", lines.join("\n")); }

  get scrollHeight() { return this.list.lines.filter((li) => !li.hidden).length * lineHeight; }
  get scrollTop() { this.scrollTop = this.#top; return this.#top; }
  set scrollTop(top) { this.#top = Math.max(0, Math.min(top, this.scrollHeight - viewHeight)); }
  querySelector(selector) { return selector === "ol" ? this.list : null; }
  querySelectorAll(selector) { return this.list.lines.filter((li) => selector === "li" || li.hidden); }
  focus() { this.focused = true; }
}

class FakeEventSource {
  static CLOSED = 2;
  static opened = [];
  readyState = 1;

  constructor(url) { this.url = url; FakeEventSource.opened.push(this); }
  close() { this.readyState = FakeEventSource.CLOSED; }
  receive(data, lastEventId = "") { this.onmessage({ data, lastEventId }); }
}

let page, foot, newest, search;
const source = () => FakeEventSource.opened.at(-1);
const numbered = (word, n) => Array.from({ length: n }, (_, i) => `${word} ${i}`);

// open shows a page with a log.
function open(...lines) {
  const el = page.byId.log = new FakeLog(...lines);
  log.follow();
  return el;
}

beforeEach(() => {
  page = fakePage();
  globalThis.EventSource = FakeEventSource;
  FakeEventSource.opened = [];
  foot = page.byId["log-foot"] = { dataset: { log: "none" } };
  newest = page.byId["log-newest"] = { hidden: true, toggleAttribute(name, on) { this[name] = on; } };
  search = page.byId.q = { name: "q", value: "", form: { id: "log-form" } };
  page.byId["log-count"] = { textContent: "" };
  log.listen();
});

test("a log is at its end within 24 pixels", () => {
  const view = { scrollHeight: 1000, clientHeight: 200 };
  assert.equal(log.isAtEnd({ ...view, scrollTop: 777 }), true);
  assert.equal(log.isAtEnd({ ...view, scrollTop: 776 }), false);
});

test("a log opens at its end, with local times", () => {
  const el = open(...numbered("old", 50));
  assert.equal(el.scrollTop, 50 * lineHeight - viewHeight);
  assert.equal(el.list.lines[0].time.textContent, "00:30:05.250");
  assert.equal(el.list.lines[0].time.title, "2026-01-02T23:30:05.25Z");
  assert.equal(source().url, "/stores/7/logs/stream?of=web&after=1%3A2");
  source().onopen();
  assert.equal(foot.dataset.log, "on");

  log.follow();
  assert.equal(FakeEventSource.opened.length, 1, "already connected");
});

test("a page without a log, or another log, ends the connection", () => {
  open();
  const first = source();
  delete page.byId.log;
  log.follow();
  assert.equal(first.readyState, FakeEventSource.CLOSED);

  open();
  const second = source();
  open();
  assert.equal(second.readyState, FakeEventSource.CLOSED);
  assert.notEqual(source(), second);
});

test("a log of a container that is gone has no stream", () => {
  page.byId.log = new FakeLog("last words");
  delete page.byId.log.dataset.stream;
  log.follow();
  assert.equal(FakeEventSource.opened.length, 0);
});

test("at the end of a log, new lines scroll into view", () => {
  const el = open(...numbered("old", 50));
  el.scrollTop -= 23;
  source().receive("new 0\nnew 1");
  assert.equal(el.scrollTop, 52 * lineHeight - viewHeight);
  assert.equal(el.list.lines[51].time.textContent, "00:30:05.250");
  assert.equal(newest.hidden, true);
});

test("elsewhere, the lines in view stay in place", () => {
  const el = open(...numbered("old", log.mostLines));
  el.scrollTop = 1000 * lineHeight;
  source().receive(numbered("new", 100).join("\n"));
  assert.equal(el.list.lines.length, log.mostLines);
  assert.equal(el.list.lines[el.scrollTop / lineHeight].text.textContent, "old 1000");
  assert.equal(newest.hidden, false);

  log.showNewest(newest);
  assert.deepEqual([log.isAtEnd(el), newest.hidden, el.focused], [true, true, true]);
});

test("scrolling to the end hides the button that leads there", () => {
  const el = open(...numbered("old", 50));
  newest.hidden = false;
  el.scrollTop = 0;
  el.dispatchEvent(new Event("scroll"));
  assert.equal(newest.hidden, false);
  el.scrollTop = 50 * lineHeight;
  el.dispatchEvent(new Event("scroll"));
  assert.equal(newest.hidden, true);
});

test("the oldest lines are removed", () => {
  const el = open(...numbered("old", log.mostLines - 1));
  source().receive("new 0\nnew 1\nnew 2");
  assert.equal(el.list.lines.length, log.mostLines);
  assert.equal(el.list.firstElementChild.text.textContent, "old 2");
  assert.equal(el.list.lastElementChild.text.textContent, "new 2");
});

test("an empty log gets its first lines", () => {
  const el = open();
  source().receive("new 0\nnew 1");
  assert.deepEqual(el.list.lines.map((li) => li.time.textContent), ["00:30:05.250", "00:30:05.250"]);
});

test("a search hides lines, new ones as well", () => {
  const el = open("ALIVE", "dead", "gone"), count = page.byId["log-count"];
  search.value = "Live";
  page.send("input", search);
  assert.deepEqual(el.list.lines.map((li) => li.hidden), [false, true, true]);
  assert.equal(count.textContent, "1 of 3");
  source().receive("live\ngone");
  assert.deepEqual(el.list.lines.map((li) => li.hidden), [false, true, true, false, true]);
  assert.equal(count.textContent, "2 of 5");
  search.value = "";
  page.send("input", search);
  assert.deepEqual(el.list.lines.map((li) => li.hidden), [false, false, false, false, false]);
  assert.equal(count.textContent, "");
});

test("a search at the end of the log stays at the end", () => {
  const el = open(...numbered("old", 100));
  search.value = "old 1";
  page.send("input", search);
  search.value = "";
  page.send("input", search);
  assert.equal(log.isAtEnd(el), true);
  el.scrollTop = 0;
  page.send("input", search);
  assert.equal(el.scrollTop, 0);
});

test("times can be hidden, by this form only", () => {
  const el = open("line");
  page.send("input", { name: "times", checked: false, form: { id: "other" } });
  assert.equal(el.classes.has("no-times"), false);
  page.send("input", { name: "times", checked: false, form: { id: "log-form" } });
  assert.equal(el.classes.has("no-times"), true);
  page.send("input", { name: "times", checked: true, form: { id: "log-form" } });
  assert.equal(el.classes.has("no-times"), false);
});

test("a connection goes on after the last line", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  open();
  source().receive("new 0", "3:4");
  source().receive("a note without an id");
  source().onerror();
  assert.equal(foot.dataset.log, "retry");
  mock.timers.tick(60_000);
  assert.equal(FakeEventSource.opened.length, 1, "the browser reconnects by itself");

  source().close();
  source().onerror();
  mock.timers.tick(4999);
  assert.equal(FakeEventSource.opened.length, 1);
  mock.timers.tick(1);
  assert.equal(FakeEventSource.opened.length, 2);
  assert.ok(source().url.endsWith("&after=3%3A4"), source().url);
  mock.timers.reset();
});

test("a log pauses, and goes on where it was", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  open();
  const attributes = { "aria-pressed": "false" };
  const button = { getAttribute: (name) => attributes[name], setAttribute: (name, value) => { attributes[name] = value; } };
  const first = source();
  first.receive("new 0", "3:4");
  log.pause(button);
  assert.deepEqual([attributes["aria-pressed"], foot.dataset.log, first.readyState], ["true", "paused", FakeEventSource.CLOSED]);
  log.pause(button);
  assert.equal(attributes["aria-pressed"], "false");
  assert.ok(source().url.endsWith("&after=3%3A4"), source().url);

  source().close();
  source().onerror();
  log.pause(button);
  mock.timers.tick(60_000);
  assert.equal(FakeEventSource.opened.length, 2, "a pause stops the retries");
  mock.timers.reset();
});
