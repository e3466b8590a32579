// Shows which authority a device is asked to trust, if any.

/** @param {string} id @param {(element: HTMLElement) => void} change */
const on = (id, change) => {
  const element = document.getElementById(id);
  if (element) change(element);
};

const response = await fetch("/app/authority.json", { cache: "no-store" }).catch(() => null);
const known = response?.ok ? await response.json() : null;
on("some", (element) => (element.hidden = !known));
const isPlain = location.protocol === "http:";
on("plain", (element) => (element.hidden = Boolean(known) || !isPlain));
on("none", (element) => (element.hidden = Boolean(known) || isPlain));
if (known) {
  on("groups", (element) => (element.textContent = known.groups));
  on("words", (element) => (element.textContent = `${known.words_zh} · ${known.words_en}`));
}
document.documentElement.dataset.ready = "yes";

export {};
