"""Banks, questions and their immutable revisions, drawing papers, import and export. It never knows an attempt."""
