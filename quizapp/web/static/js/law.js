/* The law reader: an address that names an article of another page of a long law (#a1064) leads to that page. */
(function () {
  'use strict';
  const hash = location.hash, match = /^#a(\d{1,4}(?:-\d{1,3})?)$/.exec(hash);
  if (!match || document.getElementById(hash.slice(1))) return;
  const query = new URLSearchParams(location.search);
  if (query.get('article') === match[1]) return;
  query.set('article', match[1]);
  query.delete('page');
  location.replace(location.pathname + '?' + query + hash);
})();
