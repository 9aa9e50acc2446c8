// Drawing on the pictures of the page: every canvas has its tool, its "clear", and a hidden field for the shapes.
for (const c of document.querySelectorAll('canvas')) {
  const g = c.getContext('2d'), form = document.getElementById(c.dataset.form), tool = form.elements.tool, field = form.elements.shapes;
  let shapes = [], now = null;
  const at = e => { const b = c.getBoundingClientRect(), in01 = v => Math.min(Math.max(v, 0), 1); return [in01((e.clientX - b.left) / b.width), in01((e.clientY - b.top) / b.height)]; };
  const paint = () => {
    g.clearRect(0, 0, c.width, c.height);
    g.strokeStyle = '#E74A3C'; g.lineWidth = 4; g.lineCap = 'round';
    for (const s of now ? [...shapes, now] : shapes) {
      const p = s.points.map(([x, y]) => [x * c.width, y * c.height]), [a, b] = [p[0], p[p.length - 1]];
      g.beginPath();
      if (s.tool === 'rect') g.rect(a[0], a[1], b[0] - a[0], b[1] - a[1]);
      else { g.moveTo(...a); for (const q of p) g.lineTo(...q); }
      if (s.tool === 'arrow') for (const turn of [2.6, -2.6]) { const w = Math.atan2(b[1] - a[1], b[0] - a[0]) + turn; g.moveTo(...b); g.lineTo(b[0] + 24 * Math.cos(w), b[1] + 24 * Math.sin(w)); }
      g.stroke();
    }
    field.value = JSON.stringify(shapes);
  };
  c.onpointerdown = e => { c.setPointerCapture(e.pointerId); now = {tool: tool.value, points: [at(e)]}; };
  c.onpointermove = e => { if (!now) return; if (now.tool === 'pen') now.points.push(at(e)); else now.points[1] = at(e); paint(); };
  c.onpointerup = c.onpointercancel = () => { if (now && now.points.length > 1) shapes.push(now); now = null; paint(); };
  form.elements.clear.onclick = () => { shapes = []; paint(); };
  paint();
}
// The picture under a canvas is the frame that the comment is about.
for (const v of document.querySelectorAll('video[data-form]')) {
  const form = document.getElementById(v.dataset.form), rate = Number(v.dataset.fps) || 25, field = form.elements.frame || form.elements.seconds;
  const seek = () => { const n = Number(field.value) || 0; v.currentTime = form.elements.frame ? (n + 0.5) / rate : n; };
  field.addEventListener('input', seek);
  v.addEventListener('loadedmetadata', seek, {once: true});
}
