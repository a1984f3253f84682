// Runs before the first paint, from the head: the remembered theme, if any.
// Without one the stylesheet follows the system.
try {
  const theme = localStorage.getItem("vivero-theme");
  if (theme === "vivero-light" || theme === "vivero-dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; the system's theme then stands.
}
