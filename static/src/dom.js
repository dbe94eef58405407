// Shorthands for the document.

export const byId = (id) => document.getElementById(id);

// setText does not write equal text: every write wakes the observer that updates the times.
export const setText = (el, text) => { if (el.textContent !== text) el.textContent = text; };
