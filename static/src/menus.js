// Clicks and keys: buttons with data-act, copying, dropdowns, dialogs and the search key.

import { byId } from "./dom.js";
import { seconds } from "./times.js";

// copy copies the text of the element that data-copy names, and marks the button for two seconds.
export async function copy(button) {
  if (!await copyText(byId(button.dataset.copy))) return;
  button.dataset.copied = "";
  setTimeout(() => delete button.dataset.copied, 2 * seconds);
}

// copyText falls back to the selection: browsers have no clipboard on pages over plain http. If that fails,
// the text stays selected, and people can copy it by hand.
async function copyText(el) {
  try {
    await navigator.clipboard.writeText(el.textContent.trim());
    return true;
  } catch {
    getSelection().selectAllChildren(el);
    return document.execCommand("copy");
  }
}

const openMenus = () => document.querySelectorAll("details.dropdown[open]");

function closeMenu(menu) {
  if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
  menu.open = false;
}

// A click beside a dialog closes it, unless the press began in the dialog: dragging to select text may end outside.
let pressed;

function press(event) { pressed = event.target; }

function click(event, actions) {
  const button = event.target.closest("[data-act]");
  if (button) { event.preventDefault(); actions[button.dataset.act](button); return; }
  if (event.target.matches("dialog") && pressed === event.target) event.target.close();
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
}

// isSearchKey reports whether "/" was pressed outside of a field.
export const isSearchKey = (event) => event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey &&
  !event.target.closest("input, textarea, select, dialog");

function key(event) {
  if (event.key === "Escape") openMenus().forEach(closeMenu);
  const search = isSearchKey(event) && byId("q");
  if (search) { event.preventDefault(); search.focus(); search.select(); }
}

// listen takes the functions that buttons name with data-act.
export function listen(actions) {
  document.addEventListener("pointerdown", press);
  document.addEventListener("click", (event) => click(event, actions));
  document.addEventListener("keydown", key);
}
