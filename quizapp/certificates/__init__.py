"""Numbered documents (award certificates, titles, hours) and the page where anybody checks one. It never decides who earned
what: other packages issue, by source, once."""
