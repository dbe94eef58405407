// Forms: unsent edits, double presses, dialogs, and fields that follow other fields.

import { byId, setText } from "./dom.js";
import { slugOf } from "./slug.js";
import { seconds } from "./times.js";

let edited; // the form that was typed into last

export const editedForm = () => edited;

// isFilledIn reports whether the form that was edited last is still visible.
export const isFilledIn = () => edited?.checkVisibility() ?? false;

function noteEdit(event) {
  if (event.target.form?.method === "post") edited = event.target.form;
}

// A second press within three seconds is dropped. htmx takes care of its own forms.
const sent = new WeakSet();

function sendOnce(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (sent.has(form)) { event.preventDefault(); return; }
  sent.add(form);
  setTimeout(() => sent.delete(form), 3 * seconds);
}

// A form with data-dialog opens that dialog instead of another page, and fills in what was typed.
function openDialog(event) {
  const dialog = byId(event.target.dataset.dialog);
  if (!dialog?.showModal) return;
  event.preventDefault();
  dialog.showModal();
  const form = dialog.querySelector("form[action]");
  for (const [name, value] of new FormData(event.target)) fill(form?.elements[name], value);
  form?.querySelector("input:not([type=hidden])")?.focus();
}

// fill sets a field and sends the event that typing sends, for fields that follow this one.
function fill(field, value) {
  if (!field || !value) return;
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

// focusFetched moves the focus into a dialog whose form has just been fetched.
function focusFetched(event) {
  const dialog = event.detail.ctx.target?.closest?.("dialog[open]");
  if (dialog && !dialog.contains(document.activeElement?.closest("input"))) dialog.querySelector("form[action] input:not([type=hidden])")?.focus();
}

// The address follows the name until an address is typed.
function previewAddress(event) {
  const { name, form, value } = event.target;
  if (name !== "name" || !form?.elements.slug) return;
  const preview = byId("address-preview");
  if (preview && !form.elements.slug.value) setText(preview, slugOf(value) || "your-shop");
}

// The currency follows the country, until another is chosen.
function followCountry(event) {
  const currency = event.target.name === "country" && event.target.form?.elements.currency;
  if (currency) currency.value = event.target.selectedOptions[0].dataset.currency;
}

export function listen() {
  document.addEventListener("input", noteEdit);
  document.addEventListener("submit", sendOnce);
  document.addEventListener("submit", openDialog);
  document.addEventListener("htmx:after:swap", focusFetched);
  document.addEventListener("input", previewAddress);
  document.addEventListener("change", followCountry);
}
