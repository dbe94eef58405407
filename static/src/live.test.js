import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { fakePage, fakeTime } from "./fakes.js";
import * as forms from "./forms.js";
import * as live from "./live.js";

test("a lost connection is shown after a second", () => {
  assert.equal(live.isRetrying(0, "on", 9000), false, "connected");
  assert.equal(live.isRetrying(1000, "on", 2000), false, "too soon");
  assert.equal(live.isRetrying(1000, "on", 2001), true);
  assert.equal(live.isRetrying(1000, "off", 9000), false, "offline stays");
});

test("the page is fetched after ten seconds without a stream", () => {
  const lost = { lostAt: 1000, reloading: false, hidden: false };
  assert.equal(live.isReloadDue(lost, 10_999), false);
  assert.equal(live.isReloadDue(lost, 11_000), true);
  assert.equal(live.isReloadDue({ ...lost, lostAt: 0 }, 11_000), false, "connected");
  assert.equal(live.isReloadDue({ ...lost, reloading: true }, 11_000), false, "already reloading");
  assert.equal(live.isReloadDue({ ...lost, hidden: true }, 11_000), false, "hidden");
});

test("afterReload morphs, visits or says offline", () => {
  const page = { ok: true, redirected: false, url: "http://shop/stores" };
  const signIn = { ok: true, redirected: true, url: "http://shop/sign-in" };
  assert.equal(live.afterReload(page, "/stores", false), "morph");
  assert.equal(live.afterReload({ ...page, redirected: true }, "/stores", false), "morph", "redirected to the same page");
  assert.equal(live.afterReload({ ...page, ok: false }, "/stores", false), "offline");
  assert.equal(live.afterReload(signIn, "/stores", false), "visit");
  assert.equal(live.afterReload(signIn, "/stores", true), "morph", "a form is being filled in");
  assert.equal(live.afterReload({ ...signIn, ok: false }, "/stores", true), "morph", "a form is being filled in");
});

const form = { method: "post", visible: true, checkVisibility() { return this.visible; } };
const stream = { id: "stream" };
let page, sidebar, clock;

beforeEach(() => {
  page = fakePage();
  sidebar = { dataset: { live: "none" }, time: fakeTime("1970-01-01T00:00:00Z", { as: "hour" }), querySelector() { return this.time; } };
  page.byId.live = sidebar;
  page.byId.main = { contains: () => false };
  clock = mock.method(Date, "now", () => 100_000);
  live.connected();
  live.listen();
  forms.listen();
});

const pass = (ms) => clock.mock.mockImplementation(() => 100_000 + ms);

test("the sidebar follows the stream", () => {
  page.send("htmx:sse:close", stream);
  live.showRetry();
  assert.equal(sidebar.dataset.live, "on", "a short interruption is not shown");
  pass(1500);
  live.showRetry();
  assert.equal(sidebar.dataset.live, "retry");

  page.send("htmx:sse:after:connection", stream, { detail: { connection: { status: 503 } } });
  assert.equal(sidebar.dataset.live, "retry");
  page.send("htmx:sse:after:connection", stream, { detail: { connection: { status: 200 } } });
  assert.equal(sidebar.dataset.live, "on");
  pass(9000);
  live.showRetry();
  assert.equal(sidebar.dataset.live, "on");
});

test("the first failure counts, not the last", () => {
  page.send("htmx:sse:error", stream, { detail: { status: 503 } });
  pass(1500);
  page.send("htmx:sse:error", stream, { detail: { status: 503 } });
  live.showRetry();
  assert.equal(sidebar.dataset.live, "retry");
});

test("a page without a sidebar has no stream to show", () => {
  delete page.byId.live;
  page.send("htmx:sse:close", stream);
  pass(1500);
  assert.doesNotThrow(() => { live.showRetry(); live.connected(); });
});

test("a second connection attempt means that the first connection was lost", () => {
  page.send("htmx:sse:before:connection", stream, { detail: { connection: { attempt: 1 } } });
  pass(5000);
  live.showRetry();
  assert.equal(sidebar.dataset.live, "on");
  page.send("htmx:sse:before:connection", stream, { detail: { connection: { attempt: 2 } } });
  pass(10_000);
  live.showRetry();
  assert.equal(sidebar.dataset.live, "retry");
  page.send("htmx:sse:before:message", stream);
  assert.equal(sidebar.dataset.live, "on");
});

test("the time that a page is hidden does not count", () => {
  page.hidden = true;
  page.send("htmx:sse:close", stream);
  pass(60_000);
  page.hidden = false;
  page.send("visibilitychange");
  pass(62_000);
  live.showRetry();
  assert.equal(sidebar.dataset.live, "on", "it is connected");

  page.send("htmx:sse:close", stream);
  pass(120_000);
  page.send("visibilitychange");
  live.showRetry();
  assert.equal(sidebar.dataset.live, "on", "the time before does not count");
  pass(122_000);
  live.showRetry();
  assert.equal(sidebar.dataset.live, "retry");
});

test("the page is visited again when the session has ended or the store is gone", () => {
  for (const status of [401, 404, 500]) page.send("htmx:sse:error", stream, { detail: { status } });
  assert.deepEqual(location.visits, ["/stores?q=tea", "/stores?q=tea"]);
});

test("a form that is being filled in stays", () => {
  form.visible = true;
  page.send("input", { form });
  page.send("htmx:sse:error", stream, { detail: { status: 401 } });
  assert.deepEqual(location.visits, []);
  form.visible = false;
  page.send("htmx:sse:error", stream, { detail: { status: 401 } });
  assert.deepEqual(location.visits, ["/stores?q=tea"]);
});

// answer sets the response of fetch, and returns a list of what the page is morphed with.
function answer(response) {
  const swaps = [];
  globalThis.fetch = async () => response;
  globalThis.DOMParser = class { parseFromString(html) { return { getElementById: (id) => ({ outerHTML: `${id} of ${html}` }) }; } };
  globalThis.htmx = { swap: ({ text }) => { swaps.push(text); } };
  page.byId["cluster-notice"] = {};
  return swaps;
}

const found = { ok: true, redirected: false, url: "http://shop/stores", text: async () => "a page" };

async function loseAndReload() {
  page.send("htmx:sse:close", stream);
  pass(10_000);
  await live.reload();
}

test("without a stream the page is morphed", async () => {
  const swaps = answer(found);
  await loseAndReload();
  assert.deepEqual(swaps, ["main of a page"]);
  assert.equal(sidebar.dataset.live, "retry");
});

test("a page with data-keep is kept", async () => {
  const swaps = answer(found);
  page.bySelector["#main[data-keep], #main [data-keep]"] = [{}];
  await loseAndReload();
  assert.deepEqual(swaps, ["cluster-notice of a page"]);
});

test("a form that is being filled in is kept", async () => {
  const swaps = answer(found);
  page.byId.main.contains = (el) => el === form;
  page.send("input", { form });
  await loseAndReload();
  assert.deepEqual(swaps, ["cluster-notice of a page"]);
});

test("a page that redirects is visited", async () => {
  const swaps = answer({ ...found, redirected: true, url: "http://shop/sign-in" });
  await loseAndReload();
  assert.deepEqual([swaps, location.visits], [[], ["/stores?q=tea"]]);
});

test("when the server fails or cannot be reached, the sidebar says since when", async () => {
  answer({ ...found, ok: false });
  page.bySelector["time[data-as]"] = [sidebar.time];
  await loseAndReload();
  assert.equal(sidebar.dataset.live, "off");
  assert.equal(sidebar.time.getAttribute("datetime"), "1970-01-01T00:01:40.000Z");
  assert.match(sidebar.time.textContent, /^\d\d:01$/);

  sidebar.dataset.live = "retry";
  globalThis.fetch = async () => { throw new TypeError("network error"); };
  await live.reload();
  assert.equal(sidebar.dataset.live, "off");
  live.showRetry();
  assert.equal(sidebar.dataset.live, "off");
});

test("one reload at a time", async () => {
  answer(found);
  let fetches = 0, arrive;
  globalThis.fetch = () => { fetches++; return new Promise((resolve) => { arrive = resolve; }); };
  page.send("htmx:sse:close", stream);
  pass(10_000);
  const first = live.reload();
  await live.reload();
  assert.equal(fetches, 1);
  arrive(found);
  await first;
  const second = live.reload();
  assert.equal(fetches, 2);
  arrive(found);
  await second;
});
