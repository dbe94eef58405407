import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { fakePage } from "./fakes.js";
import * as forms from "./forms.js";

let page;

beforeEach(() => {
  page = fakePage();
  forms.listen();
});

const fakeForm = (attributes = {}) => ({ method: "post", dataset: {}, elements: {}, hasAttribute: (name) => name in attributes, checkVisibility: () => true });

test("a form counts as being filled in while it is visible", () => {
  const search = { ...fakeForm(), method: "get" }, form = fakeForm();
  page.send("input", { form: null });
  page.send("input", { form: search });
  assert.equal(forms.isFilledIn(), false);
  page.send("input", { form });
  assert.equal(forms.isFilledIn(), true);
  assert.equal(forms.editedForm(), form);
  form.checkVisibility = () => false;
  assert.equal(forms.isFilledIn(), false);
});

test("a second press within three seconds is dropped", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const form = fakeForm(), other = fakeForm();
  const isSent = (form) => !page.send("submit", form).defaultPrevented;
  assert.equal(isSent(form), true);
  mock.timers.tick(2999);
  assert.equal(isSent(form), false);
  assert.equal(isSent(other), true);
  mock.timers.tick(1);
  assert.equal(isSent(form), true);
  mock.timers.reset();
});

test("a submit that another handler prevented does not count", () => {
  const form = fakeForm();
  page = fakePage();
  page.addEventListener("submit", (event) => event.preventDefault(), { once: true });
  forms.listen();
  page.send("submit", form);
  assert.equal(page.send("submit", form).defaultPrevented, false);
});

test("searches and forms of htmx may be sent again", () => {
  for (const form of [{ ...fakeForm(), method: "get" }, fakeForm({ "hx-post": "/stores" })]) {
    page.send("submit", form);
    assert.equal(page.send("submit", form).defaultPrevented, false);
  }
});

test("a form opens its dialog and fills in its values", () => {
  const name = Object.assign(new EventTarget(), { value: "" }), team = Object.assign(new EventTarget(), { value: "mine" });
  const inputs = [], done = [];
  name.addEventListener("input", (event) => inputs.push([name.value, event.bubbles]));
  team.addEventListener("input", () => inputs.push("team"));
  const inner = { elements: { name, team }, querySelector: () => ({ focus: () => done.push("focus") }) };
  page.byId["create-dialog"] = { showModal: () => done.push("open"), querySelector: (selector) => (selector === "form[action]" ? inner : null) };
  const RealFormData = globalThis.FormData;
  globalThis.FormData = class extends Map { constructor(form) { super(form.values); } };
  const form = { ...fakeForm(), method: "get", dataset: { dialog: "create-dialog" }, values: [["name", "Tea & Tonic"], ["team", ""], ["unknown", "x"]] };
  assert.equal(page.send("submit", form).defaultPrevented, true);
  globalThis.FormData = RealFormData;
  assert.deepEqual(inputs, [["Tea & Tonic", true]]);
  assert.equal(team.value, "mine");
  assert.deepEqual(done, ["open", "focus"]);
});

test("a form without a dialog on the page is sent", () => {
  assert.equal(page.send("submit", { ...fakeForm(), method: "get", dataset: { dialog: "create-dialog" } }).defaultPrevented, false);
});

test("a dialog gets the focus when its form was fetched, unless a field has it", () => {
  let focused = 0;
  const dialog = { contains: (el) => el === dialog.field, field: {}, querySelector: () => ({ focus: () => focused++ }) };
  const target = { closest: (selector) => (selector === "dialog[open]" ? dialog : null) };
  const swap = (target) => page.send("htmx:after:swap", page, { detail: { ctx: { target } } });
  swap({ closest: () => null });
  swap(undefined);
  assert.equal(focused, 0);
  page.activeElement = { closest: () => null };
  swap(target);
  assert.equal(focused, 1);
  page.activeElement = { closest: (selector) => (selector === "input" ? dialog.field : null) };
  swap(target);
  assert.equal(focused, 1);
});

test("the address follows the name until one is typed", () => {
  const preview = page.byId["address-preview"] = { textContent: "" };
  const slug = { value: "" };
  const type = (value, name = "name") => page.send("input", { name, value, form: { elements: { slug } } });
  type("Tea & Tonic");
  assert.equal(preview.textContent, "tea-and-tonic");
  type("owner", "email");
  assert.equal(preview.textContent, "tea-and-tonic");
  type("🦄");
  assert.equal(preview.textContent, "your-shop");
  slug.value = "my-own";
  type("Nordwind");
  assert.equal(preview.textContent, "your-shop");
  slug.value = "";
  page.send("input", { name: "name", value: "Team name", form: { elements: {} } });
  assert.equal(preview.textContent, "your-shop", "a form without an address");
  page.byId = {};
  type("Nordwind");
});

test("the currency follows the country", () => {
  const currency = { value: "EUR" };
  const choose = (name, code) => page.send("change", { name, form: { elements: { currency } }, selectedOptions: [{ dataset: { currency: code } }] });
  choose("team", "USD");
  assert.equal(currency.value, "EUR");
  choose("country", "CHF");
  assert.equal(currency.value, "CHF");
});
