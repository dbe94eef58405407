// The address shown while a store's name is typed. The server decides in the end: store.ProposeSlug
// knows more letters. For the names in testdata/slugs.json both agree.

const letters = {
  ä: "ae", ö: "oe", ü: "ue", ß: "ss", æ: "ae", ø: "oe", å: "aa", œ: "oe", þ: "th", ð: "d", ə: "e", ǝ: "e",
  "'": "", "’": "", "ʼ": "", "·": "", "&": " and ",
};
const spelled = new RegExp(`[${Object.keys(letters).join("")}]`, "g");

// slugOf returns an empty string if nothing of the name can be in an address.
export const slugOf = (name) => name.normalize("NFKC").toLowerCase().normalize("NFKC").replace(spelled, (c) => letters[c])
  .normalize("NFKD").replace(/\p{Mn}/gu, "").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40).replace(/-+$/, "");
