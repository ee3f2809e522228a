/* An attempt on the phone: answers are saved as they are given, the countdown shows the server's time, the packet opens once.
   ES2017, after app.js.

   data-save-url="…"   on a form or fieldset with one question: a change is sent by PUT as {choices: ["A"]}
       with data-attempt="id" data-position="n"; what could not be sent waits in localStorage and is retried
   data-save-status    one line, with data-attempt, data-total="5", data-saved="1,2" (positions the server has)
   data-timer          with data-now and data-deadline (ISO, the server's), data-timer-form="id": handed in at 0
   form[data-packet]   posts first, so the result is fixed, then plays the packet and follows {location} */
(function () {
  'use strict';
  const doc = document, app = window.quizapp, all = app.all, say = app.say;
  const WAITS = [2, 4, 8, 16, 30];

  /* ---- the queue: position -> {url, choices, at}, one per attempt */
  const holder = doc.querySelector('[data-attempt]');
  const attempt = holder ? holder.getAttribute('data-attempt') : '';
  const key = 'quizapp.answers.' + attempt;
  let memory = {}, busy = false, tries = 0, retryId, tickId;
  function load() { try { return JSON.parse(localStorage.getItem(key) || '{}'); } catch (e) { return memory; } }
  function store(queue) {
    memory = queue;
    try { if (Object.keys(queue).length) localStorage.setItem(key, JSON.stringify(queue)); else localStorage.removeItem(key); }
    catch (e) { /* private mode: memory has it */ }
  }
  const pending = () => Object.keys(load()).length;

  const status = doc.querySelector('[data-save-status]');
  const saved = new Set(((status && status.getAttribute('data-saved')) || '').split(',').filter(Boolean));
  function show(msg, off) {
    if (!status) return;
    status.textContent = msg; status.classList.toggle('is-off', Boolean(off));
  }
  function showSaved() { if (status && saved.size) show('已保存 ' + saved.size + '/' + status.getAttribute('data-total')); }

  let waiting = [];               /* called with true when nothing is left to send */
  function settle() { const w = waiting; waiting = []; w.forEach(fn => fn()); }
  function retry() {
    const n = WAITS[Math.min(tries, WAITS.length - 1)], until = Date.now() + n * 1000;
    tries += 1;
    clearTimeout(retryId); clearInterval(tickId);
    const tell = () => show('网络断了，答案先存在手机里，' + Math.max(1, Math.ceil((until - Date.now()) / 1000)) + ' 秒后再试', true);
    tell(); tickId = setInterval(tell, 1000);
    retryId = setTimeout(flush, n * 1000);
  }
  function flush() {
    clearTimeout(retryId); clearInterval(tickId);
    if (busy) return;
    const queue = load(), position = Object.keys(queue)[0];
    if (!position) { tries = 0; showSaved(); settle(); return; }
    const entry = queue[position];
    busy = true;
    app.send('PUT', entry.url, { choices: entry.choices }).then(res => {
      busy = false;
      sync(res.date);
      if (res.status === 429 || res.status >= 500) { retry(); return; }
      const now = load();
      if (now[position] && now[position].at === entry.at) { delete now[position]; store(now); }
      if (!res.ok) { show((res.data && res.data.detail) || '这一题没有存上，请再点一次选项。', true); if (pending()) flush(); else settle(); return; }
      if (entry.choices.length) saved.add(position); else saved.delete(position);
      tries = 0;
      flush();
    }, () => { busy = false; retry(); });
  }
  function keep(box) {
    const queue = load();
    queue[box.getAttribute('data-position')] = {
      url: box.getAttribute('data-save-url'), at: Date.now() + Math.random(),
      choices: all('input:checked', box).filter(i => /^(radio|checkbox)$/.test(i.type)).map(i => i.value),
    };
    store(queue);
    if (!busy) { show('正在保存'); flush(); }
  }
  app.on('change', '[data-save-url]', keep);
  addEventListener('online', () => { tries = 0; if (pending()) { say('网络恢复了'); flush(); } });
  addEventListener('offline', () => { if (attempt) show('网络断了，答案先存在手机里', true); });

  /* Choices kept from before a lost page come back and are sent; leftovers of other attempts go after a day */
  if (attempt) {
    const queue = load();
    all('[data-save-url]').forEach(box => {
      const entry = queue[box.getAttribute('data-position')];
      if (entry) all('input', box).forEach(i => { if (/^(radio|checkbox)$/.test(i.type)) i.checked = entry.choices.indexOf(i.value) >= 0; });
    });
    if (pending()) flush(); else showSaved();
    try {
      Object.keys(localStorage).filter(k => k.indexOf('quizapp.answers.') === 0 && k !== key).forEach(k => {
        const old = Object.values(JSON.parse(localStorage.getItem(k) || '{}')).every(x => Date.now() - x.at > 864e5);
        if (old) localStorage.removeItem(k);
      });
    } catch (e) { /* private mode */ }
  }

  /* Leave the question only when what was chosen has reached the server */
  let clicked;
  app.on('click', 'button', b => { clicked = b; });
  function submit(f, button) {
    f.dataset.sent = '1';
    if (button && button.name) {
      const hidden = doc.createElement('input');
      hidden.type = 'hidden'; hidden.name = button.name; hidden.value = button.value;
      f.appendChild(hidden);
    }
    if (button && button.hasAttribute('formaction')) f.setAttribute('action', button.getAttribute('formaction'));
    f.submit();
  }
  function whenSaved(fn) { waiting = [fn]; flush(); }
  doc.addEventListener('submit', e => {
    const f = e.target;
    if (e.defaultPrevented || !attempt || !pending() || !f.querySelector) return;
    if (!f.hasAttribute('data-attempt') && !f.querySelector('[data-attempt]')) return;
    e.preventDefault();
    const button = clicked && clicked.form === f ? clicked : null;
    tries = 0;
    whenSaved(() => submit(f, button));
  });

  /* ---- countdown: server's now plus time passed here, so the phone's clock does not matter */
  const timer = doc.querySelector('[data-timer][data-deadline]');
  let base = 0, since = 0, timerId;
  const serverNow = () => base + (performance.now() - since);
  function sync(date) {           /* a phone asleep stops performance.now(); each answer's Date header sets it right */
    const t = Date.parse(date || '');
    if (t && Math.abs(t + 500 - serverNow()) > 1500) { base = t + 500; since = performance.now(); }
  }
  if (timer) {
    const out = timer.querySelector('[data-timer-text]'), end = Date.parse(timer.getAttribute('data-deadline'));
    const form = doc.getElementById(timer.getAttribute('data-timer-form') || '');
    base = Date.parse(timer.getAttribute('data-now')); since = performance.now();
    const tick = () => {
      const left = Math.max(0, Math.ceil((end - serverNow()) / 1000)), rest = left % 60;
      out.textContent = ('0' + Math.floor(left / 60)).slice(-2) + ':' + ('0' + rest).slice(-2);
      if (left < 60 && left > 0 && !timer.classList.contains('is-low')) { timer.classList.add('is-low'); say('还有不到 1 分钟'); }
      if (left) return;
      clearInterval(timerId);
      if (!form || form.dataset.sent) return;
      form.dataset.sent = '1';
      show('时间到了，正在交卷');
      whenSaved(() => form.submit());
    };
    timerId = setInterval(tick, 1000); tick();
    doc.addEventListener('visibilitychange', () => {
      if (!doc.hidden) app.send('GET', timer.getAttribute('data-clock') || '/healthz').then(r => { sync(r.date); tick(); }, () => {});
    });
  }

  /* ---- red packet */
  app.on('submit', 'form[data-packet]', (f, e) => {
    e.preventDefault();
    if (f.dataset.sent) return;
    f.dataset.sent = '1';
    const packet = f.querySelector('.packet'), buttons = all('button', f);
    buttons.forEach(b => b.setAttribute('aria-busy', 'true'));
    const headers = { Accept: 'application/json, text/html;q=0.5' };
    fetch(f.getAttribute('action') || location.href, { method: 'POST', body: new FormData(f), headers: headers, credentials: 'same-origin' }).then(res => {
      const json = /json/.test(res.headers.get('Content-Type') || '');
      return (json ? res.json() : Promise.resolve({})).then(data => {
        const to = data.location || (res.redirected ? res.url.replace(location.origin, '') : '');
        if (!res.ok || !to) { f.submit(); return; }
        if (packet) packet.classList.add('is-open');
        setTimeout(() => app.go(to), app.calm() ? 0 : 700);
      });
    }).catch(() => {
      delete f.dataset.sent;
      buttons.forEach(b => b.removeAttribute('aria-busy'));
      say('网络不好，请再点一次，不会重复抽');
    });
  });
})();
