// Before the first paint: the theme and the language that the person chose, so that neither flashes.
(() => {
  const root = document.documentElement;
  let theme = null;
  let language = null;
  try {
    theme = localStorage.getItem("tocsin.theme");
    language = localStorage.getItem("tocsin.language");
  } catch {
    // Storage may be shut off; the browser's own wishes then hold.
  }
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  const wanted = language ?? navigator.language ?? "en";
  root.lang = wanted.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
})();
