import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { fakePage } from "./fakes.js";
import * as forms from "./forms.js";
import * as live from "./live.js";
import * as requests from "./requests.js";

const form = { id: "create-form", method: "post", notes: [], checkVisibility: () => true, prepend(note) { this.notes.push(note); }, matches: () => false };
const button = { id: "retry", matches: () => false };
const stream = { id: "stream", matches: () => false };
let page, problem, windowEvents;

beforeEach(() => {
  page = fakePage();
  windowEvents = new EventTarget();
  globalThis.addEventListener = windowEvents.addEventListener.bind(windowEvents);
  problem = page.byId.problem = { hidden: true };
  page.byId["signed-out"] = { firstElementChild: { cloneNode: () => ({ dataset: {} }) } };
  form.notes = [];
  forms.listen();
  requests.listen();
});

const respond = (target, status) => page.send("htmx:response:error", target, { detail: { ctx: { response: { status } } } });
const finish = (target, headers = {}) => page.send("htmx:after:request", target, {
  detail: { ctx: { response: { headers: new Headers(headers), raw: { url: "http://shop/stores?q=tea" } } } },
});

test("failed requests are shown until the next one", () => {
  page.send("htmx:error", button);
  assert.equal(problem.hidden, false);
  page.send("htmx:before:request", button);
  assert.equal(problem.hidden, true);
  respond(button, 500);
  assert.equal(problem.hidden, false);
});

test("a refused form shows its own messages", () => {
  respond(form, 422);
  assert.equal(problem.hidden, true);
});

test("the sidebar shows the failures of the stream", () => {
  const sidebar = page.byId.live = { dataset: {} };
  const clock = mock.method(Date, "now", () => 1000);
  for (const fail of [() => page.send("htmx:error", stream), () => respond(stream, 503)]) {
    live.connected();
    clock.mock.mockImplementation(() => 1000);
    fail();
    clock.mock.mockImplementation(() => 3000);
    live.showRetry();
    assert.equal(sidebar.dataset.live, "retry");
    assert.equal(problem.hidden, true);
  }
  clock.mock.restore();
});

test("a page without a place for messages shows none", () => {
  page.byId = {};
  page.send("htmx:before:request", button);
  page.send("htmx:error", button);
});

test("a session that has ended leads to the sign-in", () => {
  respond(button, 401);
  assert.deepEqual(location.visits, ["/stores?q=tea"]);
  assert.equal(problem.hidden, true);
});

test("the page of a deleted store is visited again when the stream gets a 404, not for other requests", () => {
  respond(button, 404);
  assert.deepEqual(location.visits, []);
  assert.equal(problem.hidden, false);
  respond(stream, 404);
  assert.deepEqual(location.visits, ["/stores?q=tea"]);
});

test("a search becomes the page's address", () => {
  const addresses = [];
  globalThis.history = { state: null, replaceState: (state, title, url) => addresses.push(url) };
  finish(button);
  finish(page);
  finish({ matches: (selector) => selector === "form[data-search]" });
  assert.deepEqual(addresses, ["http://shop/stores?q=tea"]);
});

test("a form that is being filled in shows one request to sign in", () => {
  let removed = 0;
  page.bySelector["[data-signed-out]"] = [{ remove: () => removed++ }];
  page.send("input", { form });
  respond(form, 401);
  assert.deepEqual(location.visits, []);
  assert.deepEqual(form.notes, [{ dataset: { signedOut: "" } }]);
  assert.equal(removed, 1);
  respond(stream, 401);
  assert.equal(form.notes.length, 1, "not for the stream");
});

test("a page from the browser's cache is visited again, unless a form is being filled in", () => {
  const show = (persisted) => windowEvents.dispatchEvent(Object.assign(new Event("pageshow"), { persisted }));
  form.checkVisibility = () => false;
  show(false);
  assert.deepEqual(location.visits, []);
  show(true);
  assert.deepEqual(location.visits, ["/stores?q=tea"]);
  form.checkVisibility = () => true;
  show(true);
  assert.deepEqual(location.visits, ["/stores?q=tea"]);
});

// The last test: the module stays in this state.
test("no request is sent after a redirect", () => {
  finish(form);
  assert.equal(page.send("htmx:before:request", form).defaultPrevented, false);
  finish(form, { "HX-Redirect": "/stores/7" });
  finish(button);
  assert.equal(page.send("htmx:before:request", form).defaultPrevented, true);
});
