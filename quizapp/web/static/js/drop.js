/* form[data-drop="files"]: files and folders dropped on it fill its input of that name. Without JavaScript the inputs do the same by
   their own buttons. [data-drop-text] says what was taken. */
(function () {
  'use strict';
  const form = document.querySelector('form[data-drop]');
  if (!form || !window.DataTransfer) return;
  const input = form.elements[form.getAttribute('data-drop')], text = form.querySelector('[data-drop-text]');

  /* A folder is read in portions until one comes back empty; its files keep their path as their name. */
  function entries(reader, found) {
    return new Promise((done, fail) => reader.readEntries(done, fail)).then(some => {
      if (!some.length) return found;
      return entries(reader, found.concat(Array.prototype.slice.call(some)));
    });
  }
  function files(entry) {
    if (entry.isFile) {
      return new Promise((done, fail) => entry.file(done, fail)).then(file => {
        const path = entry.fullPath.replace(/^\//, '');
        return [path === file.name ? file : new File([file], path, { type: file.type })];
      });
    }
    return entries(entry.createReader(), []).then(all => Promise.all(all.map(files))).then(lists => [].concat.apply([], lists));
  }
  form.addEventListener('dragover', event => { event.preventDefault(); });
  form.addEventListener('drop', event => {
    event.preventDefault();
    const items = Array.prototype.slice.call(event.dataTransfer.items || []);
    const roots = items.map(item => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
    Promise.all(roots.map(files)).then(lists => {
      const box = new DataTransfer();
      [].concat.apply([], lists).filter(file => /\.(json|zip)$/i.test(file.name)).forEach(file => box.items.add(file));
      input.files = box.files;
      if (text) text.textContent = '拖进来 ' + box.files.length + ' 个文件';
    });
  });
})();
