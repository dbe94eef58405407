// Secrets on the page are hidden after a time.

import { byId, setText } from "./dom.js";
import { clock, seconds } from "./times.js";

// hideSecrets updates the countdowns and hides what has expired.
export function hideSecrets(now = Date.now()) {
  for (const el of document.querySelectorAll("[data-hide-after]")) {
    el.dataset.hideAt ||= String(now + Number(el.dataset.hideAfter) * seconds);
    const left = Number(el.dataset.hideAt) - now;
    setText(el, `hidden again in ${clock(Math.max(0, left))}`);
    if (left <= 0) hide(el);
  }
}

// hide removes the secrets even when the server cannot be reached for the hidden panel.
function hide(el) {
  el.removeAttribute("data-hide-after");
  setText(el, "");
  for (const secret of document.querySelectorAll("[data-secret]")) setText(secret, "hidden");
  byId("hide-credentials")?.click();
}
