/* Console behaviour, after app.js (which brings toasts, tabs, dialogs, polling). No dependencies.

   data-sim            holds the prize simulator: rows [data-prize="name"] with inputs [data-v] yuan, [data-q] count, [data-p] percent,
                       a progress and [data-out]; inputs [data-draws], [data-budget]; select [data-sim-tax] (organiser | winner);
                       texts [data-sim-out="total|net|tax|cap|psum|rest"], progress[data-bar], [data-warn] p; data-tax-rate="0.2"
   data-all            ticks every checkbox of its table's body
   data-live="id"      copies what is typed into the element with that id; one inside [data-live-box] hides while it is empty
   data-question       the editor of a question: its kind shows either [data-choices] or [data-judge]; data-right="id" marks the
                       choice with that id as right, and only one may be right in 单选 */
(function () {
  'use strict';
  const doc = document, app = window.quizapp, all = app.all;
  const fmt = (n, d) => n.toLocaleString('zh-CN', { minimumFractionDigits: d || 0, maximumFractionDigits: d || 0 });

  /* An estimate while typing; the server's own figures decide. Expected = sum of min(stock, draws x probability) x value. */
  const sim = doc.querySelector('[data-sim]');
  function put(k, v) { all('[data-sim-out="' + k + '"]', sim).forEach(o => { o.textContent = v; }); }
  function num(el) { return el ? +el.value || 0 : 0; }
  function run() {
    const keep = 1 - (+sim.getAttribute('data-tax-rate') || 0.2), tax = sim.querySelector('[data-sim-tax]');
    const own = !tax || tax.value === 'organiser';          /* prizes are net, the organiser bears the tax */
    const draws = num(sim.querySelector('[data-draws]')), budget = num(sim.querySelector('[data-budget]'));
    const warn = [];
    let face = 0, stock = 0, psum = 0;
    all('[data-prize]', sim).forEach(tr => {
      const v = num(tr.querySelector('[data-v]')), q = num(tr.querySelector('[data-q]')), p = num(tr.querySelector('[data-p]')) / 100;
      const want = draws * p, got = Math.min(q, want), bar = tr.querySelector('progress'), name = tr.getAttribute('data-prize');
      face += got * v; stock += q * v; psum += p;
      tr.querySelector('[data-out]').textContent = fmt(got) + ' / ' + fmt(q);
      bar.max = q || 1; bar.value = got;
      if (want > q && p > 0) warn.push(name + ' 大约在第 ' + fmt(q / p) + ' 次抽奖时发完');
      if (v > 200) warn.push(name + ' 单个超过 200 元，建议改用活动后摇号');
    });
    const total = own ? face / keep : face, net = own ? face : face * keep, cap = own ? stock / keep : stock;
    put('total', fmt(total, 2)); put('net', '¥' + fmt(net, 2)); put('tax', '¥' + fmt(total - net, 2));
    put('cap', '¥' + fmt(cap, 2)); put('psum', (psum * 100).toFixed(1) + '%'); put('rest', '¥' + fmt(budget - total, 2));
    const bar = sim.querySelector('[data-bar]'), box = sim.querySelector('[data-warn]');
    if (bar) { bar.max = budget || 1; bar.value = total; }
    if (psum > 1) warn.unshift('中奖概率加起来超过 100%，请调低');
    if (cap > budget) warn.unshift('奖品全部发完（含税）会超出预算 ¥' + fmt(cap - budget, 2));
    if (box) { box.hidden = !warn.length; box.querySelector('p').textContent = warn.join('；') + (warn.length ? '。' : ''); }
  }
  if (sim) { sim.addEventListener('input', run); sim.addEventListener('change', run); run(); }

  app.on('change', 'input[data-all]', box => {
    all('tbody input[type=checkbox]', box.closest('table')).forEach(c => { c.checked = box.checked; });
  });
  app.on('input', '[data-live]', src => {
    const out = doc.getElementById(src.getAttribute('data-live')), box = out && out.closest('[data-live-box]');
    if (out) out.textContent = src.value;
    if (box) box.hidden = !src.value;
  });

  function kindOf(form) { const k = form.querySelector('[name=kind]:checked'); return k ? k.value : ''; }
  function shape(form) {
    const judge = kindOf(form) === 'judge', word = form.querySelector('[name=judge]:checked');
    all('[data-choices]', form).forEach(b => b.classList.toggle('off', judge));
    all('[data-judge]', form).forEach(b => b.classList.toggle('off', !judge));
    all('[data-right]', form).forEach(c => {
      const card = doc.getElementById(c.getAttribute('data-right'));
      if (card) card.classList.toggle('is-right', c.checked);
    });
    all('.phone [data-judge] .opt-card', form).forEach(c => c.classList.toggle('is-right', Boolean(word) && c.textContent.trim() === word.value));
  }
  app.on('change', '[data-question] input', input => {
    const form = input.form;
    if (input.name === 'answer' && input.checked && kindOf(form) === 'single') {
      all('[name=answer]', form).forEach(c => { if (c !== input) c.checked = false; });
    }
    shape(form);
  });
})();
