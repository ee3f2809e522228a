/* Behaviour of every page, citizen and admin. ES2017, no dependencies; pages work without it.
   Listeners sit on the document, so fragments that arrive later behave too.

   data-toast="…"            click: show one line for 2.6 s
   data-share                click: tell how to pass the page on inside WeChat
   form[data-large-form]     submit: toggle large type with a cookie, no reload; input[data-large] does the same
   form[data-once]           only the first submit counts; data-need="name": one of these must be chosen
   data-count-for="name"     text: how many of these inputs are ticked
   data-tabs                 holds [role=tab][aria-controls]
   data-dialog="id"          click: open .dlg; data-close inside it closes
   data-sms="url"            click: send a code; data-sms-phone="id of the phone input", data-sms-status="id of a status line"
   input[data-age]           under_14 shows [data-guardian] of the same form
   data-ticker="a|b"         swap text every 4 s
   progress[data-readbar]    how far down the page is
   form[data-autosubmit]     change: submit (the button inside is .nojs)
   data-poll-url="…"         ask again every data-poll-every ms (2000): JSON {state, location?, message?, percent?} or an HTML fragment
   input[data-org-search]    search organisations while typing into <select>/<datalist> #data-org-target
   input[data-nonce]         gets this phone's random number (32 hex) */
(function () {
  'use strict';
  const doc = document, root = doc.documentElement;
  const all = (sel, el) => Array.from((el || doc).querySelectorAll(sel));
  const meta = doc.querySelector('meta[name="csrf-token"]');
  const calm = () => Boolean(window.matchMedia && matchMedia('(prefers-reduced-motion: reduce)').matches);
  root.classList.add('is-js');
  /* Buttons that only serve pages without JS must not be what the Enter key presses */
  all('button.nojs, button[data-sms]').forEach(b => { b.type = 'button'; });

  /* on('click', '[data-x]', fn): one listener for present and future elements */
  function on(type, sel, fn) {
    doc.addEventListener(type, e => {
      const el = e.target instanceof Element ? e.target.closest(sel) : null;
      if (el) fn(el, e);
    });
  }

  let toastTimer;
  function say(msg) {
    const toast = doc.getElementById('toast');
    if (!toast) return;
    toast.textContent = msg; toast.classList.add('is-on');
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => toast.classList.remove('is-on'), 2600);
  }
  on('click', '[data-toast]', el => say(el.getAttribute('data-toast')));
  on('click', '[data-share]', () => say('请点右上角“…”，选择发送给朋友'));

  /* JSON to our own server. Resolves to {ok, status, data, type, date}; rejects when nothing answers within 10 s. */
  function send(method, url, body, extra) {
    const headers = { Accept: 'application/json, text/html;q=0.5', 'X-CSRFToken': meta ? meta.content : '' };
    if (extra) headers['X-Challenge-Solution'] = extra;
    const options = { method: method, headers: headers, credentials: 'same-origin', cache: 'no-store' };
    if (body !== undefined) { headers['Content-Type'] = 'application/json'; options.body = JSON.stringify(body); }
    const late = new Promise((_, no) => setTimeout(() => no(new Error('timeout')), 10000));
    return Promise.race([fetch(url, options), late]).then(res => {
      const type = res.headers.get('Content-Type') || '', json = /json/.test(type);
      return res.text().then(text => {
        let data = text;
        if (json) try { data = JSON.parse(text); } catch (e) { data = {}; }
        return { ok: res.ok, status: res.status, data: data, json: json, url: res.url, redirected: res.redirected, date: res.headers.get('Date') };
      });
    });
  }
  /* At a peak the server asks for a little work first: a worker does it */
  function solve(script, challenge) {
    return new Promise((yes, no) => {
      const worker = new Worker(script);
      worker.onmessage = e => { worker.terminate(); if (e.data) yes(e.data); else no(new Error('unsolved')); };
      worker.onerror = () => { worker.terminate(); no(new Error('worker')); };
      worker.postMessage(challenge);
    });
  }
  all('form[data-pow]').forEach(f => {
    solve(f.getAttribute('data-pow'), JSON.parse(f.getAttribute('data-pow-challenge'))).then(found => {
      f.querySelector('[name=challenge_solution]').value = found; f.submit();
    }, () => {});
  });
  function go(url) { if (/^\/(?!\/)/.test(url || '')) location.href = url; }
  window.quizapp = { all: all, on: on, say: say, send: send, go: go, calm: calm };

  /* Large type: the server renders the class from the cookie, so there is no flash */
  function large(set) {
    root.classList.toggle('is-large', set);
    doc.cookie = 'large=' + (set ? '1; max-age=31536000' : '; max-age=0') + '; path=/; samesite=lax';
    all('input[data-large]').forEach(b => { b.checked = set; });
    all('button[data-large]').forEach(b => { b.setAttribute('aria-pressed', String(set)); b.value = set ? '' : '1'; });
    all('[data-large-label]').forEach(l => { l.textContent = l.getAttribute(set ? 'data-on' : 'data-off'); });
  }
  on('submit', 'form[data-large-form]', (f, e) => { e.preventDefault(); large(!root.classList.contains('is-large')); });
  on('change', 'input[data-large]', el => large(el.checked));

  /* One submit only. The server also rejects a repeated idempotency key. */
  const buttons = f => all('button[type=submit], button:not([type])').filter(b => b.form === f);
  on('submit', 'form[data-once]', (f, e) => {
    const need = f.getAttribute('data-need');
    if (e.defaultPrevented) return;
    if (need && !f.querySelector('[name="' + need + '"]:checked')) { e.preventDefault(); say('请先选一个答案'); return; }
    if (f.dataset.sent) { e.preventDefault(); return; }
    f.dataset.sent = '1';
    buttons(f).forEach(b => b.setAttribute('aria-busy', 'true'));
  });
  function release(f) {
    delete f.dataset.sent;
    buttons(f).forEach(b => b.removeAttribute('aria-busy'));
  }
  window.quizapp.release = release;
  addEventListener('pageshow', e => { if (e.persisted) all('form[data-once]').forEach(release); });
  on('change', 'input', input => {
    all('[data-count-for]').forEach(o => {
      if (o.getAttribute('data-count-for') !== input.name) return;
      const n = all('[name="' + input.name + '"]:checked').length;
      o.textContent = n ? '（已选 ' + n + ' 项）' : '';
    });
  });
  on('change', 'form[data-autosubmit]', f => f.submit());
  all('input[data-nonce]').forEach(i => {
    i.value = Array.from(crypto.getRandomValues(new Uint8Array(16))).map(b => ('0' + b.toString(16)).slice(-2)).join('');
  });

  /* Tabs */
  function pick(tabs, k) {
    tabs.forEach((x, j) => {
      x.setAttribute('aria-selected', String(j === k)); x.tabIndex = j === k ? 0 : -1;
      doc.getElementById(x.getAttribute('aria-controls')).hidden = j !== k;
    });
  }
  all('[data-tabs]').forEach(box => {
    const tabs = all('[role=tab]', box);
    tabs.forEach((t, i) => {
      t.tabIndex = t.getAttribute('aria-selected') === 'true' ? 0 : -1;
      t.addEventListener('click', () => pick(tabs, i));
      t.addEventListener('keydown', e => {
        const d = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
        if (!d) return;
        const k = (i + d + tabs.length) % tabs.length;
        pick(tabs, k); tabs[k].focus();
      });
    });
  });

  /* Dialog */
  let opener;
  function shut() { all('.dlg.is-on').forEach(d => { d.classList.remove('is-on'); if (opener) opener.focus(); }); }
  on('click', '[data-dialog]', (b, e) => {
    const d = doc.getElementById(b.getAttribute('data-dialog'));
    if (!d) return;
    e.preventDefault(); opener = b;
    d.classList.add('is-on');
    const first = d.querySelector('a[href],button,input:not([type=hidden]),select,textarea');
    if (first) first.focus();
  });
  on('click', '[data-close]', (b, e) => { e.preventDefault(); shut(); });
  on('click', '.dlg', (d, e) => { if (e.target === d) shut(); });
  doc.addEventListener('keydown', e => {
    const d = doc.querySelector('.dlg.is-on');
    if (!d) return;
    if (e.key === 'Escape') shut();
    if (e.key !== 'Tab') return;
    const f = all('a[href],button,input:not([type=hidden]),select,textarea', d).filter(x => !x.disabled);
    if (e.shiftKey && doc.activeElement === f[0]) { e.preventDefault(); f[f.length - 1].focus(); }
    else if (!e.shiftKey && doc.activeElement === f[f.length - 1]) { e.preventDefault(); f[0].focus(); }
  });

  /* SMS code. Without JS the button posts the form to its formaction. */
  function cool(b, n) {
    const text = b.textContent;
    b.disabled = true;
    const id = setInterval(() => {
      n -= 1; b.textContent = n ? n + ' 秒后重发' : text;
      if (!n) { b.disabled = false; clearInterval(id); }
    }, 1000);
  }
  on('click', '[data-sms]', (b, e) => {
    e.preventDefault();
    const phone = doc.getElementById(b.getAttribute('data-sms-phone'));
    const out = doc.getElementById(b.getAttribute('data-sms-status'));
    const tell = msg => { if (out) out.textContent = msg; else say(msg); };
    const digits = phone ? phone.value.replace(/\D/g, '') : '';
    if (!/^1\d{10}$/.test(digits)) { tell('手机号是 11 位数字，请再看一眼。'); if (phone) phone.focus(); return; }
    b.setAttribute('aria-busy', 'true');
    const ask = extra => send('POST', b.getAttribute('data-sms'), { phone: digits, purpose: b.getAttribute('data-sms-purpose') || undefined }, extra);
    ask().then(res => {
      if (res.status !== 428) return res;
      tell('参加的人有点多，请稍等几秒。');
      return solve(doc.querySelector('meta[name="pow"]').content, res.data.challenge).then(ask);
    }).then(res => {
      b.removeAttribute('aria-busy');
      if (!res.ok) { tell(res.data.detail || '验证码没有发出去，请过一会儿再试。'); return; }
      tell(res.data.demo_code ? '演示环境，验证码是 ' + res.data.demo_code : '验证码已发送，请看短信。');
      cool(b, +res.data.retry_after_seconds || 60);
    }, () => { b.removeAttribute('aria-busy'); tell('网络不好，没有发出去，请再点一次。'); });
  });

  /* Under 14: say what comes next. The server asks the guardian before anything is stored. */
  function guardian(input) {
    all('[data-guardian]', input.form || doc).forEach(g => { g.hidden = input.value !== 'under_14'; });
  }
  on('change', 'input[data-age]', guardian);
  all('input[data-age]:checked').forEach(guardian);

  all('[data-ticker]').forEach(t => {
    const lines = t.getAttribute('data-ticker').split('|');
    let k = 0;
    if (lines.length > 1 && !calm()) setInterval(() => { k = (k + 1) % lines.length; t.textContent = lines[k]; }, 4000);
  });
  const bar = doc.querySelector('[data-readbar]');
  if (bar) addEventListener('scroll', () => {
    bar.value = Math.max(12, 100 * root.scrollTop / Math.max(1, root.scrollHeight - root.clientHeight));
  }, { passive: true });

  /* Long work: ask again until it is done; slower when the network is poor, silent while the page is hidden */
  function poll(el) {
    const every = +el.getAttribute('data-poll-every') || 2000;
    let wait = every;
    function again() { setTimeout(ask, wait); }
    function ask() {
      if (!doc.body.contains(el)) return;
      if (doc.hidden) { again(); return; }
      send('GET', el.getAttribute('data-poll-url')).then(res => {
        if (!res.ok) { wait = Math.min(30000, wait * 2); again(); return; }
        wait = every;
        if (!res.json) {
          if (res.redirected) { location.reload(); return; }
          el.innerHTML = res.data;
          if (!el.querySelector('[data-poll-done]')) again();
          return;
        }
        const text = el.querySelector('[data-poll-text]'), progress = el.querySelector('progress');
        if (text && res.data.message) text.textContent = res.data.message;
        if (progress && typeof res.data.percent === 'number') progress.value = res.data.percent;
        if (res.data.location) go(res.data.location);
        else if (/^(ready|done|failed|expired)$/.test(res.data.state)) location.reload();
        else again();
      }, () => { wait = Math.min(30000, wait * 2); again(); });
    }
    again();
  }
  all('[data-poll-url]').forEach(poll);

  /* Organisation search. Without JS the same input is sent with its own button and the server fills the list. */
  let orgTimer;
  on('input', 'input[data-org-search]', input => {
    clearTimeout(orgTimer);
    const q = input.value.trim(), box = doc.getElementById(input.getAttribute('data-org-target'));
    const out = doc.getElementById(input.getAttribute('data-org-status'));
    if (!box || q.length < 2) return;
    orgTimer = setTimeout(() => {
      send('GET', input.getAttribute('data-org-search') + '?q=' + encodeURIComponent(q)).then(res => {
        if (!res.ok || !res.data.items || input.value.trim() !== q) return;
        const list = box.tagName === 'DATALIST', first = list ? null : box.querySelector('option[value=""]');
        box.textContent = '';
        if (first) box.appendChild(first);
        res.data.items.forEach(o => {
          const opt = doc.createElement('option');
          opt.value = list ? o.name : String(o.id || o.code);
          if (!list) opt.textContent = o.name;
          box.appendChild(opt);
        });
        if (out) out.textContent = res.data.items.length ? '找到 ' + res.data.items.length + ' 个，请在下面选' : '没有找到，可以不填';
      }, () => { if (out) out.textContent = '网络不好，没有查到'; });
    }, 300);
  });
})();
