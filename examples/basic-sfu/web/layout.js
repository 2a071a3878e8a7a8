// Where tiles go: the arrangement that shows the most picture.

const WIDE = 16 / 9; // a tile is never wider than this …
const TALL = 3 / 4; // … nor taller than this, unless told

/**
 * arrange places count tiles into width × height pixels, gap apart, and
 * returns {rects: [{x, y, w, h}], height}. It fills the area without
 * overflowing unless tiles would become narrower than least; then the height
 * returned is greater than the one given. tall is the least width to height.
 */
export function arrange(count, width, height, { gap = 8, least = 0, tall = TALL } = {}) {
  if (count === 0 || width <= 0 || height <= 0) return { rects: [], height };
  let best = null;
  for (let cols = 1; cols <= count; cols++) {
    const fit = measure(cols, Math.ceil(count / cols), width, height, gap, tall);
    if (!best || fit.picture > best.picture) best = fit;
  }
  if (best.w < least) {
    const cols = Math.max(1, Math.min(count, Math.floor((width + gap) / (least + gap))));
    const rows = Math.ceil(count / cols);
    const w = (width - gap * (cols - 1)) / cols;
    best = { cols, rows, w, h: w / (4 / 3) };
    height = Math.max(height, rows * (best.h + gap) - gap);
  }
  return { rects: place(best, count, width, height, gap), height };
}

/** feature gives the first `main` of count tiles most of the area and the others a strip beside or below. */
export function feature(main, count, width, height, { gap = 8, least = 0, tall = TALL } = {}) {
  const rest = count - main;
  if (main === 0 || rest === 0) return arrange(count, width, height, { gap, least, tall });
  const beside = width > height;
  const w = beside ? Math.round(width * 0.78) : width;
  const h = beside ? height : Math.round(height * 0.6);
  const big = arrange(main, w, h, { gap });
  const small = beside
    ? arrange(rest, width - w - gap, height, { gap })
    : arrange(rest, width, height - h - gap, { gap, least: least * 0.7 });
  const dx = beside ? w + gap : 0;
  const dy = beside ? 0 : h + gap;
  return {
    rects: [...big.rects, ...small.rects.map((r) => ({ ...r, x: r.x + dx, y: r.y + dy }))],
    height: dy + small.height,
  };
}

function measure(cols, rows, width, height, gap, tall) {
  const cellW = (width - gap * (cols - 1)) / cols;
  const cellH = (height - gap * (rows - 1)) / rows;
  const w = Math.min(cellW, cellH * WIDE);
  const h = Math.min(cellH, w / tall);
  return { cols, rows, w, h, picture: Math.max(0, w) * Math.max(0, Math.min(h, w / WIDE)) };
}

// place centres the whole, and a last row that is not full within it.
function place({ cols, rows, w, h }, count, width, height, gap) {
  const top = Math.max(0, (height - rows * (h + gap) + gap) / 2);
  return Array.from({ length: count }, (_, i) => {
    const row = Math.floor(i / cols);
    const inRow = row === rows - 1 ? count - row * cols : cols;
    const left = (width - inRow * (w + gap) + gap) / 2;
    return { x: left + (i % cols) * (w + gap), y: top + row * (h + gap), w, h };
  });
}
