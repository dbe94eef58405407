import assert from "node:assert/strict";
import { test } from "node:test";

import { fakePage } from "./fakes.js";
import { hideSecrets } from "./secrets.js";

function shownSecret() {
  const document = fakePage();
  const countdown = { dataset: { hideAfter: "60" }, textContent: "", removeAttribute(name) { this.removed = name; } };
  const secret = { textContent: "q7Rk2VbX" };
  let presses = 0;
  document.bySelector["[data-hide-after]"] = [countdown];
  document.bySelector["[data-secret]"] = [secret];
  document.byId["hide-credentials"] = { click: () => presses++ };
  return { document, countdown, secret, presses: () => presses };
}

test("a secret is shown for its time", () => {
  const { countdown, secret, presses } = shownSecret();
  hideSecrets(1000);
  assert.equal(countdown.textContent, "hidden again in 1:00");
  hideSecrets(60_999);
  assert.equal(countdown.textContent, "hidden again in 0:00");
  assert.equal(secret.textContent, "q7Rk2VbX");
  assert.equal(presses(), 0);
});

test("a secret is removed when its time is up", () => {
  const { document, countdown, secret, presses } = shownSecret();
  hideSecrets(1000);
  hideSecrets(61_000);
  assert.equal(secret.textContent, "hidden");
  assert.equal(countdown.textContent, "");
  assert.equal(countdown.removed, "data-hide-after");
  assert.equal(presses(), 1);

  document.byId = {};
  assert.doesNotThrow(() => hideSecrets(62_000), "a page without the panel");
});
