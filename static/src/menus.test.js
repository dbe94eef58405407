import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { fakePage } from "./fakes.js";
import * as menus from "./menus.js";

let page, acted;

beforeEach(() => {
  page = fakePage();
  acted = [];
  menus.listen({ newestLog: (button) => acted.push(button) });
});

// fakeElement matches the selectors in own, and is inside of the elements by selector.
const fakeElement = ({ own = [], inside = {} } = {}) => ({ matches: (selector) => own.includes(selector), closest: (selector) => inside[selector] ?? null });

function fakeMenu(...parts) {
  const menu = { open: true, focused: 0, contains: (el) => parts.includes(el), querySelector: () => ({ focus: () => menu.focused++ }) };
  return menu;
}

test("a button runs its action", () => {
  const button = { dataset: { act: "newestLog" } };
  const event = page.send("click", fakeElement({ inside: { "[data-act]": button } }));
  assert.deepEqual(acted, [button]);
  assert.equal(event.defaultPrevented, true);
});

test("a click closes the menus it is not in", () => {
  const item = fakeElement();
  const its = fakeMenu(item), other = fakeMenu();
  page.bySelector["details.dropdown[open]"] = [its, other];
  page.send("pointerdown", item);
  page.send("click", item);
  assert.deepEqual([its.open, other.open], [true, false]);
});

test("a press beside a dialog closes it, dragging out of it does not", () => {
  let closed = 0;
  const dialog = { ...fakeElement({ own: ["dialog"] }), close: () => closed++ };
  page.send("pointerdown", fakeElement());
  page.send("click", dialog);
  assert.equal(closed, 0);
  page.send("pointerdown", dialog);
  page.send("click", dialog);
  assert.equal(closed, 1);
});

test("Escape closes menus and keeps the focus", () => {
  const item = {};
  const focused = fakeMenu(item), other = fakeMenu();
  page.activeElement = item;
  page.bySelector["details.dropdown[open]"] = [focused, other];
  page.send("keydown", fakeElement(), { key: "a" });
  assert.equal(focused.open, true);
  page.send("keydown", fakeElement(), { key: "Escape" });
  assert.deepEqual([focused.open, other.open], [false, false]);
  assert.deepEqual([focused.focused, other.focused], [1, 0]);
});

test("a slash searches, unless it is typed or part of a shortcut", () => {
  const done = [];
  const slash = { key: "/", ctrlKey: false, metaKey: false, altKey: false };
  assert.equal(page.send("keydown", fakeElement(), slash).defaultPrevented, false, "a page without a search");
  page.byId.q = { focus: () => done.push("focus"), select: () => done.push("select") };
  assert.equal(page.send("keydown", fakeElement(), slash).defaultPrevented, true);
  assert.deepEqual(done, ["focus", "select"]);
  for (const modifier of ["ctrlKey", "metaKey", "altKey"]) page.send("keydown", fakeElement(), { ...slash, [modifier]: true });
  page.send("keydown", fakeElement(), { ...slash, key: "?" });
  page.send("keydown", fakeElement({ inside: { "input, textarea, select, dialog": {} } }), slash);
  assert.deepEqual(done, ["focus", "select"]);
});

function useClipboard(clipboard) {
  Object.defineProperty(globalThis, "navigator", { value: { clipboard }, configurable: true });
}

function fakeSecret() {
  const el = page.byId.secret = { textContent: " q7Rk2VbX\n" };
  return { el, button: { dataset: { copy: "secret" } } };
}

test("copying marks the button for two seconds", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { button } = fakeSecret(), copies = [];
  useClipboard({ writeText: async (text) => { copies.push(text); } });
  await menus.copy(button);
  assert.deepEqual(copies, ["q7Rk2VbX"]);
  assert.equal(button.dataset.copied, "");
  mock.timers.tick(1999);
  assert.equal(button.dataset.copied, "");
  mock.timers.tick(1);
  assert.equal("copied" in button.dataset, false);
  mock.timers.reset();
});

test("without a clipboard the text is selected and copied with execCommand", async () => {
  const { el, button } = fakeSecret(), selected = [];
  useClipboard(undefined);
  globalThis.getSelection = () => ({ selectAllChildren: (el) => selected.push(el) });
  page.execCommand = () => false;
  await menus.copy(button);
  assert.deepEqual(selected, [el]);
  assert.equal("copied" in button.dataset, false, "nothing was copied");
  page.execCommand = (command) => command === "copy";
  await menus.copy(button);
  assert.equal(button.dataset.copied, "");
  useClipboard({ writeText: async () => {} });
});
