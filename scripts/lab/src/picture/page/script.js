// Zoom, and what is under the pointer. The page is complete without it.
for (const picture of document.querySelectorAll('.picture')) {
  const scroll = picture.querySelector('.scroll'), tools = picture.querySelector('.tools');
  const said = tools.querySelector('output'), end = Number(picture.dataset.end);
  const waits = JSON.parse(picture.dataset.waits);
  let zoom = 1;
  tools.hidden = false;
  const label = () => scroll.querySelector('.track').offsetLeft;
  const zoomTo = (wanted, x) => {
    const before = zoom, at = x - label() + scroll.scrollLeft;
    zoom = Math.min(500, Math.max(1, wanted));
    picture.style.setProperty('--zoom', zoom);
    scroll.scrollLeft = at * zoom / before - (x - label());
  };
  const middle = () => (scroll.clientWidth + label()) / 2;
  tools.querySelector('.in').onclick = () => zoomTo(zoom * 2, middle());
  tools.querySelector('.out').onclick = () => zoomTo(zoom / 2, middle());
  tools.querySelector('.all').onclick = () => zoomTo(1, 0);
  scroll.addEventListener('wheel', event => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoomTo(zoom * Math.exp(-event.deltaY / 200), event.clientX - scroll.getBoundingClientRect().left);
  }, { passive: false });
  const time = us => us >= 999500 ? (us / 1e6).toFixed(2) + ' s' : us >= 999.5 ? (us / 1e3).toFixed(2) + ' ms' : us.toFixed(0) + ' µs';
  const cursor = picture.querySelector('.cursor');
  const found = (track, share) => {
    if (!track.dataset.cells) return '';
    const columns = Number(picture.dataset.columns);
    let left = Math.min(columns - 1, Math.floor(share * columns));
    for (const run of track.dataset.cells.split(' ')) {
      const [count, ran, queued, wait] = run.split(',');
      left -= Number(count);
      if (left >= 0) continue;
      if (ran === undefined) return 'not alive';
      const words = [];
      if (Number(ran)) words.push('running ' + ran + ' %');
      if (Number(queued)) words.push('no CPU free ' + queued + ' %');
      if (wait) words.push((words.length ? 'else ' : '') + waits[wait]);
      return words.join(', ') || 'there, not seen at what';
    }
    return '';
  };
  scroll.addEventListener('pointermove', event => {
    const row = event.target.closest('.row'), track = row && row.querySelector('.track');
    if (!track) return;
    const box = track.getBoundingClientRect(), share = (event.clientX - box.left) / box.width;
    if (share < 0 || share > 1) return;
    cursor.hidden = false;
    cursor.style.left = event.clientX - scroll.querySelector('.rows').getBoundingClientRect().left + 'px';
    const name = row.querySelector('.name').textContent.replace(/[│├└ ]+/, '');
    const mark = event.target.title ? '\n' + event.target.title : '';
    said.textContent = [time(share * end), name, found(track, share)].filter(Boolean).join(' · ') + mark;
  });
  scroll.addEventListener('pointerleave', () => { cursor.hidden = true; });
}
