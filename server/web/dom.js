// Small helpers for making and finding elements.

/** The element with this id; a missing one is a defect of the page. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no #${id}`);
  return found;
}

/** A new element; `children` are elements or text. */
export function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** Give a <select> these [value, label] pairs and keep its choice where it still exists. */
export function fillSelect(select, options, chosen = select.value) {
  select.replaceChildren(...options.map(([value, label]) => new Option(label, value)));
  const values = options.map(([value]) => value);
  select.value = values.includes(chosen) ? chosen : (values[0] ?? "");
}

/** Hand a Blob to the browser's downloads. */
export function download(blob, name) {
  const link = make("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
