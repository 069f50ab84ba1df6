// Loads one of the pack's stylesheets by its name.
export function addStylesheet(name) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL(`../css/${name}.css`, import.meta.url).href;
  document.head.append(link);
}
