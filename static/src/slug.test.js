import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { slugOf } from "./slug.js";

const slugs = JSON.parse(readFileSync(new URL("testdata/slugs.json", import.meta.url), "utf8"));

test("slugOf agrees with the server", () => {
  assert.ok(Object.keys(slugs).length > 5);
  for (const [name, want] of Object.entries(slugs)) assert.equal(slugOf(name), want, name);
});

test("slugOf is empty for names without a known letter", () => {
  for (const name of ["", " - ", "🦄🦄", "日本"]) assert.equal(slugOf(name), "", name);
});
