/** A flame graph as one HTML file without anything from elsewhere: a click goes into a function, a word marks functions, hovering tells. */

/**
 * @param title over the graph
 * @param tree `{ name, where, ms, children }`
 */
export function flameGraph(title, tree) {
  const data = JSON.stringify(tree).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escaped(title)}</title>
<style>
  :root { color-scheme: light dark; --back: #fff; --text: #1a1a1a; --line: #fff; }
  @media (prefers-color-scheme: dark) { :root { --back: #16181c; --text: #e8e8e8; --line: #16181c; } }
  body { margin: 1rem; background: var(--back); color: var(--text); font: 13px system-ui, sans-serif; }
  h1 { font-size: 1.1rem; margin: 0 0 .5rem; }
  #bar { display: flex; gap: 1rem; align-items: baseline; margin-bottom: .5rem; }
  #tells { min-height: 1.4em; }
  #graph { position: relative; }
  .f { position: absolute; height: 17px; overflow: hidden; white-space: nowrap; font-size: 11px; line-height: 17px; padding-left: 2px;
       box-sizing: border-box; border-right: 1px solid var(--line); border-bottom: 1px solid var(--line); cursor: pointer; color: #1a1a1a; }
  .f.hit { outline: 2px solid #d0006f; outline-offset: -2px; }
</style>
<h1>${escaped(title)}</h1>
<div id="bar"><input id="word" placeholder="mark functions with" aria-label="mark functions with"><button id="back">all</button><span id="tells"></span></div>
<div id="graph"></div>
<script>
const all = ${data};
const ROW = 18, graph = document.getElementById('graph'), tells = document.getElementById('tells'), word = document.getElementById('word');
let root = all;
// One colour for each kind of place: ours, Node's, packages, native code.
const hue = (f) => (f.name[0] === '(' ? 0 : f.where.startsWith('node:') || f.where === '' ? 205 : f.where.includes('agent/') || !f.where.includes('/') ? 38 : 280);
const colour = (f) => { let h = 7; for (const c of f.name) h = (h * 31 + c.charCodeAt(0)) % 97; return 'hsl(' + hue(f) + ' ' + (f.name[0] === '(' ? 0 : 70) + '% ' + (68 + (h % 16)) + '%)'; };
function draw() {
  const width = graph.clientWidth, out = document.createDocumentFragment(), mark = word.value.toLowerCase();
  let deepest = 0, marked = 0;
  const box = (f, x, depth, under) => {
    const w = f.ms / root.ms * width;
    if (w < 0.5) return;
    deepest = Math.max(deepest, depth);
    const hit = mark !== '' && (f.name + ' ' + f.where).toLowerCase().includes(mark);
    if (hit && !under) marked += f.ms;
    const div = document.createElement('div');
    div.className = hit ? 'f hit' : 'f';
    div.style.cssText = 'left:' + x + 'px;top:' + depth * ROW + 'px;width:' + w + 'px;background:' + colour(f);
    if (w > 30) div.textContent = f.name;
    div.onmousemove = () => { tells.textContent = f.name + '  ' + f.where + '  ' + f.ms.toFixed(0) + ' ms, ' + (100 * f.ms / all.ms).toFixed(1) + ' %'; };
    div.onclick = () => { root = f; draw(); };
    out.append(div);
    let at = x;
    for (const child of f.children.toSorted((a, b) => b.ms - a.ms)) { box(child, at, depth + 1, under || hit); at += child.ms / root.ms * width; }
  };
  box(root, 0, 0, false);
  graph.replaceChildren(out);
  graph.style.height = (deepest + 1) * ROW + 'px';
  tells.textContent = mark === '' ? all.ms.toFixed(0) + ' ms busy' : (100 * marked / all.ms).toFixed(1) + ' % below functions with that word';
}
word.oninput = draw;
onresize = draw;
document.getElementById('back').onclick = () => { root = all; draw(); };
draw();
</script>
</html>
`;
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
