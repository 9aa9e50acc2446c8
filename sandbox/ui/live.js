// The page follows what happens: every part marked data-live is taken anew when it has changed. A part in which somebody
// types or tabs is left alone, and what was opened stays open.
setInterval(async () => {
  let text;
  try { text = await (await fetch(location.pathname)).text(); } catch { return; }
  const fresh = new DOMParser().parseFromString(text, 'text/html');
  for (const part of document.querySelectorAll('[data-live]')) {
    const now = fresh.getElementById(part.id), html = now && now.innerHTML;
    if (!now || part.seen === html || part.querySelector('input:focus, select:focus, textarea:focus, :focus-visible')) continue;
    if (part.seen === undefined && part.innerHTML === html) { part.seen = html; continue; }
    const open = new Set([...part.querySelectorAll('details[open]')].map(d => d.dataset.id));
    part.innerHTML = html;
    part.seen = html;
    for (const d of part.querySelectorAll('details')) d.open = open.has(d.dataset.id);
  }
}, 1500);
