// The address shown while a store's name is typed. The server decides in the end: store.ProposeSlug
// knows more letters. For the names in testdata/slugs.json both agree.

const letters = { ä: "ae", ö: "oe", ü: "ue", ß: "ss", æ: "ae", ø: "o", å: "a", œ: "oe", "&": " and " };

// slugOf returns an empty string if nothing of the name can be in an address.
export const slugOf = (name) => name.toLowerCase().replace(/[äöüßæøåœ&]/g, (c) => letters[c]).normalize("NFKD")
  .replace(/[\u0300-\u036f]/g, "").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40).replace(/-+$/, "");
